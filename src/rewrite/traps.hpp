// SPDX-License-Identifier: GPL-2.0-only
// Finds the instructions of a file that ring 3 refuses or does otherwise than ring 0, as far as they are code
// with certainty: what is not reached stays as it is, since it may be data.
#pragma once

#include "rewrite/decode.hpp"
#include "rewrite/functions.hpp"
#include "support/files.hpp"

namespace ukl::rewrite {

struct TrapSite {
  Instruction instruction;
  Trap trap;
  std::uint64_t copy = 0; ///< address of its copy behind the stubs; 0: none
};

/// All traps of the file in order of address; `map` is that of the file. Followed is what direct calls, jumps
/// and branches, landing pads and jump tables reach from the file's entry point and from functions whose
/// extent a frame entry or a symbol says. No two overlap, nor does one overlap other code that is reached.
std::vector<TrapSite> find_traps(const ElfView& elf, const FunctionMap& map);

/// Writes UKL_TRAP_BYTE over each trap's first byte, and takes GS's prefix from those that only use memory
/// relative to it: its base is always 0, and the prefix that is put in its place has no effect.
void write_traps(Bytes& elf, const ElfView& view, const std::vector<TrapSite>& traps);

/// The kernel's table of traps (struct ukl_trap), sorted by offset in the file.
Bytes make_trap_table(const ElfView& view, const std::vector<TrapSite>& traps);

} // namespace ukl::rewrite
