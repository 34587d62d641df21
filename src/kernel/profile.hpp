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

/// A kernel is asked for as PROFILE or PROFILE@RELEASE (`general@6.12`); it is the name of its folder in the
/// cache too. Without a release it is the default one, and the name has none then.
struct ProfileName {
  std::string profile, release;
};
inline constexpr const char* kDefaultRelease = "6.1";

ProfileName parse_profile(const std::string& name);
std::string profile_name(const std::string& profile, const std::string& release);

/// The profiles that stand in kernel/profiles (all but base), sorted; without a release.
std::vector<std::string> kernel_profiles();
/// The releases of Linux that have patches of ours (kernel/patches), oldest first.
std::vector<std::string> kernel_releases();

/// The cached kernel of a profile (perhaps of a release) for the present inputs. Errors: usage (no such
/// profile or release), no_kernel with the command that builds it as the hint.
Result<Kernel> find_kernel(const std::string& profile);

} // namespace ukl
