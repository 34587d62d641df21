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

  std::filesystem::path image() const { return folder_ / "image"; }
  /// Its name among our machines, which may have no more than 63 letters.
  std::string machine() const { return id_.substr(0, 32); }

  /// Forks the container's process, in a session of its own, which calls `prepare` (true: go on), waits for
  /// start(), and executes `command`.
  Result<void> fork_process(const std::vector<std::string>& command, const std::function<bool()>& prepare);
  /// Writes all that is known of it. `machines`: where its machine has its record, which those who call us
  /// later may not know from their surroundings: an engine cleans those of some calls.
  Result<void> write(const std::string& bundle, const std::map<std::string, std::string>& annotations,
                     const std::filesystem::path& machines);
  const std::filesystem::path& machines() const { return machines_; }

  pid_t pid() const { return pid_; }
  /// created, running or stopped.
  std::string status() const;
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
  std::filesystem::path folder_, machines_;
  std::string id_, bundle_;
  std::map<std::string, std::string> annotations_;
  pid_t pid_ = 0;
  std::uint64_t started_ = 0; // when the process began
};

} // namespace ukl
