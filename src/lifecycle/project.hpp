// SPDX-License-Identifier: GPL-2.0-only
// Machines that belong together, as a file describes them: the part of Compose files (compose-spec.io) that
// has a meaning for machines. A project is no more than that: what it has running is asked of the machines.
#pragma once

#include "lifecycle/yaml_file.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ukl {

struct Service {
  /// Another one that comes first, and how far it has to be.
  struct Need {
    enum class Until { started, healthy, completed };
    std::string service;
    Until until = Until::started;
    unsigned line = 0;
  };
  /// A command of the image that ends with 0 once the service is healthy.
  struct Health {
    std::vector<std::string> command;
    std::chrono::milliseconds interval{30000}, timeout{30000}, patience{0}; ///< patience: in all
  };

  std::string name;
  std::string machine; ///< its name
  std::string image;   ///< as it was written: relative to the project's folder
  unsigned line = 0;
  std::vector<std::string> options;                ///< of `ukl run`
  std::optional<std::vector<std::string>> command; ///< in place of the image's arguments
  std::vector<Need> needs;
  std::optional<Health> health;
  bool waits_itself = false;              ///< has --wait-ready: it is healthy once it is started
  bool reaches_others = true;             ///< it has a network
  std::vector<std::string> ports;         ///< published ones, as -p takes them
  std::vector<std::string> named_volumes; ///< of ProjectVolume::name
  std::chrono::milliseconds stop_patience{10000};
};

/// A disk with a name, `ukl volume`.
struct ProjectVolume {
  std::string name;         ///< in the file
  std::string volume;       ///< for `ukl volume`
  std::string size = "10G"; ///< of a new one
  bool external = false;    ///< it is not ours to make or remove
};

struct Project {
  std::string name;
  std::filesystem::path file, folder;
  std::vector<Service> services; ///< each behind those that it needs, otherwise in the file's order
  std::vector<ProjectVolume> volumes;
  std::vector<std::string> notes; ///< what has no effect, in sentences

  const Service* find(const std::string& service) const;
};

/// compose.yaml, compose.yml, docker-compose.yaml or docker-compose.yml in `folder`. Error: not_found.
Result<std::filesystem::path> find_project_file(const std::filesystem::path& folder);

/// Reads one. `name`: the project's, in place of that in the file, and of that of its folder. `here`: this
/// machine's environment; a file .env beside it has further variables. Whatever is not understood is an
/// error: usage, with file and line. Other errors: not_found, unreadable.
Result<Project> read_project(const std::filesystem::path& file, const std::string& name,
                             const Environment& here);

/// How `tool` starts the service's machine, in the project's folder: `tool run -d …`.
std::vector<std::string> start_command(const std::string& tool, const Project& project,
                                       const Service& service);

/// `1m30s`, `500ms`, `1.5h`; nothing if it is none.
std::optional<std::chrono::milliseconds> parse_duration(const std::string& text);

} // namespace ukl
