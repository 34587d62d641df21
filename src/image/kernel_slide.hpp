// SPDX-License-Identifier: GPL-2.0-only
// Lets the kernel of an image run at another virtual address at each start. A PVH start skips the
// decompressor, which does that for a bzImage. So the image gets one more segment behind the kernel's: the
// code of boot/slide.cpp, the places that hold addresses of the kernel, and room for page tables. It becomes
// the ELF file's entry, and the PVH entry of the kernel is made to jump there instead of to startup_64. After
// the start, that memory is free like any other.
//
// Only virtual addresses change. Where the image lies in physical memory is for the loader, and the same at
// each start.
#pragma once

#include "image/kernel_elf.hpp"
#include "image/kernel_relocations.hpp"

namespace ukl {

/// At how many addresses a kernel can run that takes the physical memory from `start` to `end` (bytes) and
/// was linked to run there: multiples of 2 MiB in the first GiB of its addresses, as Linux's own choice
/// (find_random_virt_addr, arch/x86/boot/compressed/kaslr.c). At least 1.
std::uint64_t slide_positions(std::uint64_t start, std::uint64_t end);

/// Adds the segment. Returns the number of positions; 1, and a kernel as it was, if the relocations have an
/// obstacle or the kernel has no PVH entry. Error: not_elf (the relocations are not those of this kernel).
Result<std::uint64_t> let_slide(KernelElf& kernel, const KernelRelocations& relocations);

} // namespace ukl
