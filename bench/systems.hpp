// SPDX-License-Identifier: GPL-2.0-only
// What is compared: kernels, privilege levels and ways to enter the kernel.
#pragma once

#include "calls/policy.hpp"
#include "guest_program.hpp"
#include "machine.hpp"
#include "support/result.hpp"

#include <map>

namespace ukl::bench {

struct System {
  std::string name;                                   ///< as results call it: cloud, classic, …
  std::string title;                                  ///< for tables
  std::string kernel;                                 ///< what it runs on, for the reader
  std::filesystem::path file;                         ///< Debian's vmlinuz, or our vmlinux
  bool ours = false;                                  ///< boots as an image of ours; else file and initrd
  bool rewritten = false;                             ///< the program's system calls go through the gate
  CallPolicy calls;                                   ///< how calls are entered
  std::string command_line;                           ///< added to the kernel's
  std::vector<std::filesystem::path> network_modules; ///< to be loaded before there is a network
};

/// `vmlinux` files to use instead of the cached kernels, by profile.
using KernelFiles = std::map<std::string, std::filesystem::path>;

/// The systems of these names, in that order; see known_systems. Errors: usage (an unknown name), no_kernel,
/// those of cloud_kernel.
Result<std::vector<System>> find_systems(const std::vector<std::string>& names, const KernelFiles& kernels);

/// All names that find_systems knows.
std::vector<std::string> known_systems();

/// A machine of that system that runs `program`: an image that `ukl pack` would make, or Debian's kernel with
/// an archive of files. Its files are written to `folder`, with the system's name. Errors: those of
/// pack_request and pack, or of foreign_tree and make_payload.
Result<Machine> make_machine(const System& system, const GuestProgram& program,
                             const std::filesystem::path& folder);

} // namespace ukl::bench
