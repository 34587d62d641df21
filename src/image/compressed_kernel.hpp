// SPDX-License-Identifier: GPL-2.0-only
// A kernel in less room, for images made with --compress: one LZMA stream, and the code of boot/unpack.cpp,
// which unpacks it and goes on to the kernel's own entries. A bzImage does the same with Linux's own code;
// but its decompressor knows nothing of PVH, Multiboot2 and run settings, and the tool could not write into
// it.
#pragma once

#include "image/kernel_elf.hpp"
#include "support/reporter.hpp"

namespace ukl {

/// The same kernel, finished otherwise (nothing can be written into it any more): the memory that its
/// segments take, without contents, and the unpacker from `address` on, which has to lie behind it and all
/// else that is loaded (physical, a multiple of 4096). Its entries are the unpacker's. It takes seconds, of
/// which `reporter` is told. Errors: internal (no memory), interrupted.
Result<KernelElf> compress_kernel(KernelElf kernel, std::uint64_t address,
                                  Reporter& reporter = silent_reporter());

} // namespace ukl
