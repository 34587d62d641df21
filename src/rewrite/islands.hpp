// SPDX-License-Identifier: GPL-2.0-only
// Islands: where fewer than five bytes before a site can be moved, a two-byte jump still fits, and the
// padding that compilers leave between pieces of code holds the long jump that it goes to.
#pragma once

#include "rewrite/jump_targets.hpp"

namespace ukl::rewrite {

/// Room for a long jump. Nothing if `address` is 0.
struct Island {
  std::uint64_t address = 0;
  bool between_functions = false; ///< outside of every frame entry, so it needs one of its own
  std::uint64_t padding_start = 0, padding_end = 0; ///< the whole run of padding that it is in
};

/// A run of padding that control never reaches, and how much of it is still free.
struct Padding {
  Island run;
  std::uint64_t free = 0; ///< address of the first free byte
};

/// The padding within a function and directly behind it.
std::vector<Padding> find_islands(const ElfView& elf, const FunctionMap& map, const Function& function,
                                  const std::vector<Instruction>& code, const Entries& entries);

/// Takes room that a short jump at `from` reaches, and where unwinders do the same as at `from`.
std::optional<Island> take_island(const FunctionMap& map, std::vector<Padding>& paddings, std::uint64_t from);

} // namespace ukl::rewrite
