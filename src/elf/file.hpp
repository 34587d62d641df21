// SPDX-License-Identifier: GPL-2.0-only
// What the tool must know of a program's or library's ELF file (System V ABI, chapters 4 and 5) to put it
// into an image: who loads it, and what else it needs.
#pragma once

#include "elf/view.hpp"
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

using rewrite::begins_as_elf;

/// What a loader sees of an ELF file; `name` is for messages. Error: not_elf (damaged where only a loader
/// looks).
Result<ElfFile> loading_of(const rewrite::ElfView& elf, const std::string& name);

/// The same for a file held in memory. Errors: also those of ElfView::parse.
Result<ElfFile> parse_elf(std::span<const std::uint8_t> bytes, const std::string& name);

/// The same for a file. Errors: also not_found, unreadable.
Result<ElfFile> read_elf(const std::filesystem::path& path);

} // namespace ukl
