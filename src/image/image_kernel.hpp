// SPDX-License-Identifier: GPL-2.0-only
// The kernel of an image: a profile's, or one of the user's own, made ready to be joined with a payload.
#pragma once

#include "image/kernel_elf.hpp"
#include "kernel/profile.hpp"

namespace ukl {

struct ImageKernel {
  Kernel kernel;
  KernelElf elf;               ///< with the code that moves it, if it can be moved
  bool gate = false;           ///< it has one: programs run in ring 0 and may be rewritten
  std::uint64_t positions = 1; ///< addresses of which it takes one at each start
  std::string obstacle;        ///< why there is only one
};

/// The kernel of a profile, or `vmlinux` unless that is empty. Errors: those of find_kernel and
/// read_kernel_elf.
Result<ImageKernel> find_image_kernel(const std::string& profile, const std::filesystem::path& vmlinux);

} // namespace ukl
