// SPDX-License-Identifier: GPL-2.0-only
// QEMU's machine protocol (docs/interop/qmp-spec.txt of its source), over the monitor that each machine has
// for us in its folder (kMonitorSocket). One client at a time has it.
#pragma once

#include "lifecycle/record.hpp"

#include <string>
#include <string_view>

namespace ukl {

class QemuClient {
public:
  /// Waits up to ten seconds for another client to go. Errors: no_such_machine (it does not run, or was
  /// started by an ukl that made no monitor), machine (QEMU does not answer).
  static Result<QemuClient> connect(const KnownMachine& machine);

  /// Executes a command with arguments, a JSON object; gives what it returns, as JSON. Errors: machine (what
  /// QEMU says of it, or that it has ended), interrupted.
  Result<std::string> execute(const std::string& command, const std::string& arguments = "{}");
  /// A command of the human monitor, and its answer.
  Result<std::string> human(const std::string& command);
  /// Gives QEMU a descriptor, under a name that its next command takes.
  Result<void> give(const std::string& name, int descriptor);

private:
  QemuClient(std::string name, FileDescriptor socket) : name_(std::move(name)), socket_(std::move(socket)) {}
  Result<void> send(const std::string& text, int descriptor);
  Result<std::string> line(std::chrono::milliseconds most);
  Result<std::string> answer();

  std::string name_, unread_;
  FileDescriptor socket_;
};

} // namespace ukl
