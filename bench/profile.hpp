// SPDX-License-Identifier: GPL-2.0-only
// Where the instructions of an operation or of a server's request go, by function of the kernel and of the
// guest program.
#pragma once

#include "systems.hpp"

namespace ukl::bench {

struct ProfilePlan {
  System system;                 ///< one of ours: Debian ships no symbols with its kernel
  std::string what;              ///< the operation's or the workload's name
  std::filesystem::path program; ///< the guest program, a static ELF file: bench/guest/operations
  std::filesystem::path start;   ///< the first program of a server's machine: bench/guest/start
  std::filesystem::path plugin;  ///< profile_plugin.so
};

/// Boots once and returns a table as text: instructions per operation and function, most first. Errors: usage
/// (a system without symbols, an unknown operation), those of make_machine, machine.
Result<std::string> profile_operation(const ProfilePlan& plan);

/// The same for one workload of a server ("memcached TCP 1c"): instructions per request. Those of the server
/// and its libraries are one line: nothing tells from outside where they lie. Errors: those of
/// profile_operation, make_server, RunningServer::start and of the load.
Result<std::string> profile_workload(const ProfilePlan& plan);

} // namespace ukl::bench
