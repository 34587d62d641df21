// SPDX-License-Identifier: GPL-2.0-only
// What the tool must know of a program's or library's ELF file (System V ABI, chapters 4 and 5) to put it
// into an image: who loads it, and what else it needs.
#pragma once

#include "support/files.hpp"

#include <span>
#include <string>
#include <vector>

namespace ukl {

/// The loading view of one ELF file.
struct ElfFile {
  enum class Kind { executable, shared }; ///< ET_EXEC or ET_DYN
  Kind kind = Kind::executable;
  std::uint64_t entry = 0;         ///< e_entry; 0 in a library that cannot be run
  std::string interpreter;         ///< PT_INTERP; empty in static programs and most libraries
  std::string soname;              ///< DT_SONAME
  std::vector<std::string> needed; ///< DT_NEEDED, in order
  std::vector<std::string> rpath,
      runpath; ///< DT_RPATH and DT_RUNPATH, split at the colons, $ORIGIN not replaced
};

/// True if the bytes begin as any ELF file does.
bool begins_as_elf(std::span<const std::uint8_t> bytes);

/// Reads an ELF file held in memory; `name` is for messages. Errors: not_elf (no ELF file, a truncated or
/// damaged one, an object file, a core dump), wrong_architecture (32 bits, or another machine than x86-64).
Result<ElfFile> parse_elf(std::span<const std::uint8_t> bytes, const std::string& name);

/// The same for a file. Errors: also not_found, unreadable.
Result<ElfFile> read_elf(const std::filesystem::path& path);

} // namespace ukl
