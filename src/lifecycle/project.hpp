// SPDX-License-Identifier: GPL-2.0-only
// Machines that belong together, as a file describes them: the part of Compose files that has a meaning for
// machines. A project is no more than that: what it has running is asked of the machines.
#pragma once

#include "lifecycle/yaml_file.hpp"

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
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
    bool required = true; ///< false: it may be missing, or not be started
  };
  /// A command of the image that ends with 0 once the service is healthy.
  struct Health {
    std::vector<std::string> command;
    std::chrono::milliseconds interval{30000}, timeout{30000}, patience{0}; ///< patience: in all
  };

  /// Its place on a network of the project.
  struct Card {
    std::string network;                   ///< of ProjectNetwork::name
    std::string address = {};              ///< IPv4, without a length; connect_services() gives one
    std::string address6 = {};             ///< where the network has IPv6
    std::vector<std::string> aliases = {}; ///< further names of the service there
    std::string mac = {};                  ///< empty: what follows from the machine's name
    unsigned line = 0;
  };
  /// What makes a container image, of which its image is made.
  struct Build {
    std::string context;                ///< a folder, relative to the project's
    std::string file;                   ///< relative to the context; empty: Dockerfile
    std::string inline_file;            ///< in place of a file
    std::string target;                 ///< the stage; empty: the last one
    std::vector<std::string> arguments; ///< NAME=VALUE, or NAME
  };

  std::string name;
  std::string machine; ///< its name
  std::string image;   ///< a file, relative to the project's folder: what was written, or where it is made
  std::string source;  ///< what `ukl pack` makes it of (deb:…); empty: it is there, or `build` makes it
  std::optional<Build> build;
  std::vector<std::string> pack_options; ///< further ones of `ukl pack` (x-pack)
  bool always_make = false;              ///< pull_policy: always
  unsigned line = 0;
  std::vector<std::string> options;                   ///< of `ukl run`
  std::optional<std::vector<std::string>> entrypoint; ///< in place of the image's program; empty: none
  std::optional<std::vector<std::string>> command;    ///< in place of the image's arguments
  std::vector<Need> needs;
  std::optional<Health> health; ///< the file's; else the image's, once it is known
  bool health_disabled = false; ///< the image's is not asked for
  bool image_known = false;     ///< its image is there, and was looked into
  bool waits_itself = false;    ///< has --wait-ready: it is healthy once it is started
  bool has_network = true;      ///< false: network_mode none
  std::vector<Card> cards;      ///< the first one's address is what others call by its name
  std::vector<std::pair<std::string, std::string>> links; ///< a service, and what this one calls it
  std::vector<std::string> hosts;         ///< NAME:ADDRESS of others and its own (connect_services())
  std::vector<std::string> ports;         ///< published ones, as -p takes them
  std::vector<std::string> named_volumes; ///< of ProjectVolume::name
  std::vector<std::string> profiles;      ///< it is started if one of them was asked for; none: always
  std::chrono::milliseconds stop_patience{10000};
};

/// A disk with a name, `ukl volume`; of several services a folder that they share.
struct ProjectVolume {
  std::string name;                  ///< in the file
  std::string volume;                ///< for `ukl volume`
  std::string size = "10G";          ///< of a new one
  bool external = false;             ///< it is not ours to make or remove
  std::filesystem::path folder = {}; ///< in place of a disk; empty: it is one
  bool ours = true;                  ///< the folder was not named by the user
  unsigned line = 0;
};

/// A network of machines.
struct ProjectNetwork {
  std::string name;         ///< in the file
  std::string network;      ///< of this machine
  bool external = false;    ///< one of `ukl network`; else a private one
  bool internal = false;    ///< it has no way out
  std::string subnet = {};  ///< 10.0.0.0/24; empty: one that follows from its name
  std::string prefix6 = {}; ///< of 64 bits, fd00:1:2::; empty: without IPv6
  unsigned line = 0;
};

/// A file of one of `secrets:` and `configs:`.
struct ProjectFile {
  std::string file;                        ///< relative to the project's folder
  std::string variable;                    ///< of this machine's environment, in place of a file
  std::optional<std::string> content = {}; ///< written to `file` before the machine starts
};

struct Project {
  std::string name;
  std::filesystem::path file, folder;
  std::filesystem::path made;    ///< the folder of what `ukl up` makes for it
  std::vector<Service> services; ///< each behind those that it needs, otherwise in the file's order
  std::vector<ProjectVolume> volumes;
  std::set<std::filesystem::path> shared_folders; ///< of this machine, absolute, that several services have
  std::vector<ProjectNetwork> networks;
  std::map<std::string, ProjectFile> secrets, configs;
  std::vector<std::string> notes; ///< what has no effect, in sentences
  Environment variables;          ///< those of this machine and of a file .env beside it

  const Service* find(const std::string& service) const;
  /// FILE:LINE: KEY has no effect: WHY
  void ignore(unsigned line, const std::string& key, const std::string& why = "");
};

/// A folder of this machine as it was written: absolute, relative to the project's.
std::filesystem::path folder_of(const Project& project, const std::string& written);

/// compose.yaml, compose.yml, docker-compose.yaml or docker-compose.yml in `folder`. Error: not_found.
Result<std::filesystem::path> find_project_file(const std::filesystem::path& folder);

/// Reads one. `name`: the project's, in place of that in the file, and of that of its folder. `here`: this
/// machine's environment; a file .env beside it has further variables. `made`: the folder for what projects
/// make (Places::projects). Keys of Compose that have no meaning here become notes, and whatever is not
/// understood is an error: usage, with file and line. Other errors: not_found, unreadable.
Result<Project> read_project(const std::filesystem::path& file, const std::string& name,
                             const std::filesystem::path& made, const Environment& here);

/// How `tool` starts the service's machine, in the project's folder: `tool run -d …`.
std::vector<std::string> start_command(const std::string& tool, const Project& project,
                                       const Service& service);

} // namespace ukl
