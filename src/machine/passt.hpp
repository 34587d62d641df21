// SPDX-License-Identifier: GPL-2.0-only
// passt(1): a process beside QEMU that makes the machine's connections as its own, in IPv4 and IPv6, and
// needs no rights.
#pragma once

#include "machine/options.hpp"
#include "support/process.hpp"

namespace ukl {

/// Error: missing_tool.
Result<void> check_passt();

/// passt's command line for a card with these addresses, router and name servers (key::address …). `socket`:
/// its end of the connection with QEMU; `ready`: where it writes its number once it serves.
std::vector<std::string> passt_command(const Manifest& network, const std::vector<Forward>& forwards,
                                       int socket, int ready);

/// A passt that serves. It ends with the connection to QEMU, and so with the machine, whoever is killed.
struct Passt {
  Process process;
  FileDescriptor socket; ///< QEMU's end
  FileDescriptor errors; ///< what it says; its end is the process's

  /// Errors: missing_tool, port_in_use (a port of `forwards`), usage (one of them twice, on two addresses),
  /// machine (it does not start).
  static Result<Passt> start(const Manifest& network, const std::vector<Forward>& forwards);
};

} // namespace ukl
