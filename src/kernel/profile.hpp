// SPDX-License-Identifier: GPL-2.0-only
// Built kernels. One is made per profile and cached by the hash of everything that goes into it (the version
// of Debian's linux-source package, our patches and files, the configuration, the compiler's version).
#pragma once

#include "support/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ukl {

/// A kernel in the cache: <cache>/kernels/<profile>-<hash>/ with the files below.
struct Kernel {
  std::string profile;
  std::string hash;                 ///< 16 hexadecimal digits
  std::filesystem::path vmlinux;    ///< the kernel's ELF file, with its symbol table
  std::filesystem::path config;     ///< its .config
  std::filesystem::path system_map; ///< its System.map
};

/// The profiles that stand in kernel/profiles (all but base), sorted.
std::vector<std::string> kernel_profiles();

/// The cached kernel of a profile for the present inputs. Errors: usage (no such profile), no_kernel with the
/// command that builds it as the hint.
Result<Kernel> find_kernel(const std::string& profile);

} // namespace ukl
