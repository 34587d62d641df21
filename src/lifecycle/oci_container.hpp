// SPDX-License-Identifier: GPL-2.0-only
// A container of the OCI runtime specification: a process that waits for `start`, and then becomes `ukl run`,
// with the streams that it was created with. All that is known of it lies in a folder ROOT/ID:
//   container.json   its bundle, annotations, and the process
//   image            what `ukl pack` made of its root
//   start            a pipe with a name, as long as it has not been started
#pragma once

#include "support/files.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ukl {

class OciContainer {
public:
  /// Makes the folder. Errors: usage (no such ID can be), name_in_use, unwritable.
  static Result<OciContainer> create(const std::filesystem::path& root, const std::string& id);
  /// Error: no_such_machine.
  static Result<OciContainer> open(const std::filesystem::path& root, const std::string& id);

  /// All in the folder, by ID. Those that are just being created are not among them.
  static std::vector<OciContainer> all(const std::filesystem::path& root);

  const std::string& id() const { return id_; }
  std::filesystem::path image() const { return folder_ / "image"; }
  /// Its name among our machines, which may have no more than 63 letters. An engine that keeps its containers
  /// in a folder of its own (`root`) may give an ID that another one has given, too.
  std::string machine() const;

  /// Forks the container's process, in a session of its own, which calls `prepare` (true: go on), waits for
  /// start(), and executes `command`.
  Result<void> fork_process(const std::vector<std::string>& command, const std::function<bool()>& prepare);
  /// What is known of it besides its process.
  struct Facts {
    std::string bundle;
    std::map<std::string, std::string> annotations;
    /// Where its machine has its record, which those who call us later may not know from their surroundings:
    /// an engine cleans those of some calls.
    std::filesystem::path machines;
    /// The interfaces of its network namespace that were taken over (container_network.hpp).
    std::string network_namespace;
    std::vector<std::string> interfaces;
  };
  /// Writes all that is known of it.
  Result<void> write(const Facts& facts);
  const Facts& facts() const { return facts_; }

  pid_t pid() const { return pid_; }
  /// created, running or stopped.
  std::string status() const;
  /// When it was created: RFC 3339.
  std::string created() const;
  /// What `state` prints.
  std::string state() const;
  /// Error: usage (it was started before, or has ended).
  Result<void> start() const;
  /// False: it has ended.
  bool kill(int signal) const;
  /// Waits so long for its end.
  bool wait(std::chrono::milliseconds most) const;
  void remove() const;

  /// A further process, which does not wait. Gives its number.
  static Result<pid_t> fork_another(const std::vector<std::string>& command,
                                    const std::function<bool()>& prepare);

private:
  bool lives() const;
  std::filesystem::path folder_;
  std::string id_;
  Facts facts_;
  pid_t pid_ = 0;
  std::uint64_t started_ = 0; // when the process began
};

} // namespace ukl
