// SPDX-License-Identifier: GPL-2.0-only
// What a kernel lacks, read from what its build left: the small profiles leave out what few images use.
#pragma once

#include "kernel/profile.hpp"
#include "ukl/manifest.hpp"

#include <cstdint>
#include <set>
#include <span>
#include <string_view>

namespace ukl {

/// Something that a machine, rather than a program's system call, asks of the kernel.
struct KernelFeature {
  std::string_view word;    ///< in the manifest (key::lacks)
  std::string_view setting; ///< without which it is not there
  std::string_view meaning; ///< for the user, in the plural
};

/// All that is known, in the order in which they are told.
std::span<const KernelFeature> kernel_features();

/// For the user; the word itself if it is not known.
std::string_view feature_meaning(std::string_view word);

struct KernelLacks {
  std::vector<std::string> features; ///< words
  std::set<std::uint32_t> calls;     ///< system calls that it answers with ENOSYS
};

/// What an image with these settings, or a run with them, needs: words.
std::vector<std::string> needed_features(const Manifest& settings);

/// Of a .config: words of the features whose setting is not on.
std::vector<std::string> lacking_features(std::string_view config);

/// Of a System.map: Linux defines each call whose code was left out as a weak function (COND_SYSCALL in
/// arch/x86/include/asm/syscall_wrapper.h), and a weak one that is still there has no other.
std::set<std::uint32_t> lacking_calls(std::string_view system_map);

/// Of a kernel of the cache. Of one that the user brings nothing is known: it lacks nothing. Errors: those of
/// reading its files.
Result<KernelLacks> kernel_lacks(const Kernel& kernel);

} // namespace ukl
