// SPDX-License-Identifier: GPL-2.0-only
// A server in its virtual machine.
#pragma once

#include "machine.hpp"
#include "servers.hpp"
#include "support/files.hpp"
#include "support/process.hpp"

namespace ukl::bench {

/// True if a server sends at least one byte for `question`. Each step may take `seconds`. QEMU's user network
/// accepts connections before the guest does, so only an answer shows that the server is there.
bool answers(const Address& server, const std::string& question, int seconds = 1);

/// Runs until it is stopped or destroyed.
class RunningServer {
public:
  /// Boots `machine`, with ports forwarded to the server's unless it is on a tap, and returns once it
  /// answers. The console goes to `console`. Errors: machine (it ended, or does not answer within two
  /// minutes; says what its console shows), missing_tool, interrupted.
  static Result<RunningServer> start(Machine machine, const Server& server,
                                     const std::filesystem::path& console);

  const Address& address() const { return address_; }
  /// Lets QEMU end by itself, so that its plugin writes what it has to write.
  void stop();
  /// The last lines of the console, for messages.
  std::string console_tail() const;

private:
  RunningServer(Process process, Address address, std::filesystem::path console)
      : process_(std::move(process)), address_(std::move(address)), console_(std::move(console)) {}
  Process process_;
  Address address_;
  std::filesystem::path console_;
};

} // namespace ukl::bench
