// SPDX-License-Identifier: GPL-2.0-only
// The folder of built kernels. Below cache_folder():
//
//   source/<release>-<hash>/   Linux's source as Debian ships it, unpacked once; never written to again
//   build/<profile>-<hash>/    a build under way: the source (hard links) with our changes, and objects/
//   build/<profile>-<hash>.log what its make printed
//   kernels/<profile>-<hash>/  a finished kernel: vmlinux, config, System.map, build.log, inputs (what it was
//                              built from) and objects.sha256 (a line for each object file and linker script,
//                              as sha256sum writes it, debugging sections left out); with CONFIG_EFI_STUB
//                              also bzImage, which is the same kernel, compressed
// where <profile> has the release with it unless that is the default one (general@6.12), and
//
//   locks/                     an empty file for each thing that only one process may make at a time
#pragma once

#include "kernel/inputs.hpp"
#include "kernel/profile.hpp"

#include <optional>

namespace ukl {

/// A folder of kernels/.
struct CachedKernel {
  std::filesystem::path folder;
  std::string profile;
  std::string hash;
};

/// The lock file (see file_lock.hpp) of one thing in the cache, named by its folder's name.
std::filesystem::path lock_path(const std::string& name);

/// All finished kernels, oldest first.
std::vector<CachedKernel> cached_kernels();

/// The kernel made from these inputs, if there is one. Inputs that are not known here (no source archive, no
/// compiler) are taken to be the right ones: whoever only packs images needs neither.
std::optional<Kernel> cached_kernel(const KernelInputs& inputs);

/// The kernel in a folder of kernels/.
Kernel kernel_in(const std::filesystem::path& folder, const std::string& profile, const std::string& hash);

/// SHA-256 of the archive of Linux's source that a kernel of the cache was built from; empty if it is none of
/// the cache's.
std::string source_of_kernel(const Kernel& kernel);

/// The same kernel as UEFI starts it: compressed, in one file with Linux's own decompressor. There only for a
/// kernel with CONFIG_EFI_STUB.
std::filesystem::path bz_image_in(const std::filesystem::path& folder);

/// What `ukl kernel clean` does: removes every kernel and unfinished build that is not for the present inputs
/// of its profile (patched or not); with `all` also those that are, and the unpacked source. What another
/// process is busy with stays. Returns the folders removed. Errors: unwritable.
Result<std::vector<std::filesystem::path>> clean_kernels(bool all);

} // namespace ukl
