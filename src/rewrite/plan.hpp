// SPDX-License-Identifier: GPL-2.0-only
// Finds the sites of a file and decides what to do with each.
#pragma once

#include "rewrite/islands.hpp"
#include "rewrite/rewriter.hpp"

namespace ukl::rewrite {

struct PlannedSite {
  Site site;
  std::uint64_t window = 0; ///< address of the first byte to overwrite; the last is before site.address
  std::vector<Instruction> displaced; ///< instructions that the stub must run; their bytes are in the window
  /// Of a site of unknown number: the register that holds it when the site's function is entered.
  std::optional<std::uint8_t> argument_register;
  unsigned entry = UKL_GATE_INDEXED; ///< of the gate
  Island island;                     ///< where the window is too short for a jump to the stub
};

/// All sites of the file in order of address. `map`: of the same file.
std::vector<PlannedSite> plan_sites(const ElfView& elf, const FunctionMap& map);

} // namespace ukl::rewrite
