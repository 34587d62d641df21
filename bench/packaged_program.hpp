// SPDX-License-Identifier: GPL-2.0-only
// A program of Debian's archive with the libraries it needs, for a guest or to be run here.
#pragma once

#include "debian_package.hpp"
#include "guest_program.hpp"

#include <map>

namespace ukl::bench {

/// A program in one of several unpacked packages.
struct PackagedProgram {
  std::filesystem::path file;                  ///< on this machine
  std::vector<std::filesystem::path> folders;  ///< with the packages' libraries
  std::map<std::string, std::string> versions; ///< of the packages
};

/// `path` (as below /) in the first of `packages`; the others hold libraries. Errors: those of
/// debian_package.
Result<PackagedProgram> packaged_program(const std::string& path, const std::vector<std::string>& packages);

/// What to put into the environment to run it here.
std::vector<std::string> environment_of(const PackagedProgram& program);

/// Such a program for a machine, started as `words`: the first is its name in the guest, which lies in
/// /usr/bin, the others are its arguments. `start`: see GuestProgram.
GuestProgram guest_program(const PackagedProgram& program, const std::vector<std::string>& words,
                           const std::filesystem::path& start);

} // namespace ukl::bench
