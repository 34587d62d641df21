// SPDX-License-Identifier: GPL-2.0-only
// Where an operation's instructions go, by function of the kernel and of the guest program.
#pragma once

#include "systems.hpp"

namespace ukl::bench {

struct ProfilePlan {
  System system;                 ///< one of ours: Debian ships no symbols with its kernel
  std::string operation;         ///< its name
  std::filesystem::path program; ///< the guest program, a static ELF file
  std::filesystem::path plugin;  ///< profile_plugin.so
};

/// Boots once and returns a table as text: instructions per operation and function, most first. Errors: usage
/// (a system without symbols, an unknown operation), those of make_machine, machine.
Result<std::string> profile_operation(const ProfilePlan& plan);

} // namespace ukl::bench
