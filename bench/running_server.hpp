// SPDX-License-Identifier: GPL-2.0-only
// A server in its virtual machine.
#pragma once

#include "machine.hpp"
#include "servers.hpp"
#include "support/files.hpp"
#include "support/process.hpp"

namespace ukl::bench {

/// Runs until it is destroyed.
class RunningServer {
public:
  /// Boots `machine` with ports forwarded to the server's, and returns once it answers. The console goes to
  /// `console`. Errors: machine (it ended, or does not answer within two minutes; says what its console
  /// shows), missing_tool, interrupted.
  static Result<RunningServer> start(Machine machine, const Server& server,
                                     const std::filesystem::path& console);

  const Address& address() const { return address_; }
  /// The last lines of the console, for messages.
  std::string console_tail() const;

private:
  RunningServer(Process process, Address address, std::filesystem::path console)
      : process_(std::move(process)), address_(address), console_(std::move(console)) {}
  Process process_;
  Address address_;
  std::filesystem::path console_;
};

} // namespace ukl::bench
