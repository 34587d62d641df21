// SPDX-License-Identifier: GPL-2.0-only
// Calls through a register that was loaded with a function's pointer before, as compilers do it for calls in
// a loop.
#pragma once

#include "rewrite/jump_targets.hpp"

namespace ukl::rewrite {

/// The calls and jumps (indices of instructions, sorted) that may go to the function whose pointer lies at
/// `slot`, of a function that loads this pointer into registers. Nothing if it may be put to another use, or
/// be kept where it is not followed: in memory, or in a register that is handed to another function.
std::optional<std::vector<std::size_t>> calls_through(const std::vector<Instruction>& code,
                                                      const Entries& entries, std::uint64_t slot,
                                                      bool calls_keep_registers);

} // namespace ukl::rewrite
