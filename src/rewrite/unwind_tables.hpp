// SPDX-License-Identifier: GPL-2.0-only
// Call-frame information (.eh_frame) as a source of function boundaries and of exception landing pads.
// Formats: LSB Core, "Exception Frames"; Itanium C++ ABI, "Exception Handling Tables".
#pragma once

#include "elf/view.hpp"

namespace ukl::rewrite {

/// One frame description entry: the code [start, end) and its exception table, if it has one.
struct FrameEntry {
  std::uint64_t start;
  std::uint64_t end;
  std::uint64_t exception_table; ///< address, 0: none
  std::uint64_t code_alignment;  ///< unit of the program's advances, bytes
  ByteView program;              ///< call frame instructions
};

/// All entries that lie in executable regions, sorted by start. Damaged parts are skipped.
std::vector<FrameEntry> frame_entries(const ElfView& elf);

/// Addresses of the landing pads of one entry, or nothing if its exception table cannot be read.
std::optional<std::vector<std::uint64_t>> landing_pads(const ElfView& elf, const FrameEntry& entry);

/// True if an unwinder does the same at both addresses of the entry's code.
bool same_frame_row(const FrameEntry& entry, std::uint64_t one, std::uint64_t other);

} // namespace ukl::rewrite
