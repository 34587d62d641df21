// SPDX-License-Identifier: GPL-2.0-only
// Which places of a kernel hold its own addresses: what has to change if it is to run elsewhere. A vmlinux of
// CONFIG_X86_NEED_RELOCS still has all relocations of its link (ld --emit-relocs); which of them matter is
// decided as arch/x86/tools/relocs.c of Linux 6.1 does.
#pragma once

#include "support/result.hpp"

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace ukl {

/// Places are virtual addresses, sorted, each once.
struct KernelRelocations {
  std::vector<std::uint64_t> wide;   ///< 64-bit addresses
  std::vector<std::uint64_t> narrow; ///< 32-bit addresses, virtual or physical ones
  std::vector<std::uint64_t>
      inverse; ///< 32-bit distances from an address to a per-CPU variable, which does not move
  std::vector<std::uint64_t>
      of_entry;         ///< 32-bit ones that hold the physical address of the ELF file's entry, or
                        ///< (since Linux 6.12) its distance from where code begins to run
  std::string obstacle; ///< why the kernel cannot be moved; empty: it can
};

/// Reads them. A kernel without relocations, or with one that is not understood, has an obstacle. Errors:
/// not_found, unreadable, not_elf (damaged).
Result<KernelRelocations> read_kernel_relocations(const std::filesystem::path& path);

/// The same for one held in memory; `name` is for messages.
Result<KernelRelocations> parse_kernel_relocations(std::span<const std::uint8_t> bytes,
                                                   const std::string& name);

} // namespace ukl
