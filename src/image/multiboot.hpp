// SPDX-License-Identifier: GPL-2.0-only
// Lets GRUB, and whatever else follows the Multiboot2 Specification, boot an image: on BIOS and on UEFI, from
// any disk. The image gets a header that the loader looks for in the file's first 32 KiB, and a segment with
// the code of boot/multiboot.cpp, which goes on to the kernel's PVH entry. Who boots it in another way sees
// neither. The segment also has the code of boot/xen_guard.cpp, which becomes the PVH entry of a kernel that
// has no support for Xen.
#pragma once

#include "image/kernel_elf.hpp"

namespace ukl {

/// The header's first word.
inline constexpr std::uint32_t kMultibootMagic = 0xe85250d6;

/// Adds the segment, behind everything that the kernel has, and puts the guard in front of the PVH entry
/// where that is needed. Returns the segment's address, which is the entry that the header names; 0, and a
/// kernel as it was, if the kernel has no PVH entry.
std::uint32_t let_multiboot(KernelElf& kernel);

/// The header that names this entry; to be placed on a multiple of 8 bytes.
Bytes multiboot_header(std::uint32_t entry);

} // namespace ukl
