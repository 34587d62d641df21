// SPDX-License-Identifier: GPL-2.0-only
// Calls that do not come back: behind them registers need not be followed, and padding is never run.
#pragma once

#include "rewrite/decode.hpp"
#include "rewrite/functions.hpp"

namespace ukl::rewrite {

/// Gives Flow::end to each direct call of a function that has no way to return: no `ret`, no jump out of it,
/// and no end that control falls out of. True if there was one.
bool end_calls_without_return(const ElfView& elf, const FunctionMap& map, std::vector<Instruction>& code);

} // namespace ukl::rewrite
