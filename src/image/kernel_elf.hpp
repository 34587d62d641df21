// SPDX-License-Identifier: GPL-2.0-only
// The kernel's vmlinux as a loader sees it, plus the few symbols that an image needs to patch.
#pragma once

#include "support/files.hpp"

#include <map>
#include <span>
#include <string>
#include <vector>

namespace ukl {

/// One PT_LOAD segment.
struct KernelSegment {
  std::uint64_t virtual_address = 0;
  std::uint64_t physical_address = 0;
  std::uint64_t memory_size = 0; ///< bytes; what lies behind `contents` is zero
  std::uint32_t flags = 0;       ///< PF_R, PF_W, PF_X
  Bytes contents;
};

/// A vmlinux without everything that only debuggers need.
struct KernelElf {
  std::string name;                    ///< of the file, for messages
  std::uint64_t entry = 0;             ///< e_entry, a physical address (startup_64)
  std::vector<KernelSegment> segments; ///< in the file's order
  std::vector<Bytes> notes;            ///< contents of the PT_NOTE segments, 4-byte aligned entries
  std::uint64_t memory_end = 0;        ///< first physical address behind the kernel, .bss and .brk included
  std::uint32_t multiboot_entry = 0;   ///< physical address; 0: Multiboot2 loaders cannot boot it
  std::map<std::string, std::uint64_t> symbols; ///< those asked for and found: virtual addresses
};

/// Reads it. Errors: not_found, unreadable, wrong_architecture, not_elf (damaged, not linked to run, or
/// without a segment).
Result<KernelElf> read_kernel_elf(const std::filesystem::path& path, const std::vector<std::string>& symbols);

/// The same for one held in memory; `name` is for messages.
Result<KernelElf> parse_kernel_elf(std::span<const std::uint8_t> bytes, const std::string& name,
                                   const std::vector<std::string>& symbols);

/// Adds to the 32-bit number at a virtual address of a segment's contents. Error: not_elf (it does not lie in
/// one).
Result<void> add_in_kernel(KernelElf& kernel, std::uint64_t virtual_address, std::uint32_t value);

/// Stores bytes at a virtual address of a segment's contents. Error: not_elf (they do not lie in one).
Result<void> patch_kernel(KernelElf& kernel, std::uint64_t virtual_address,
                          std::span<const std::uint8_t> bytes);

} // namespace ukl
