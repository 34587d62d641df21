// SPDX-License-Identifier: GPL-2.0-only
// One boot test from beginning to end.
#pragma once

#include "settings.hpp"
#include "specification.hpp"

namespace boot {

/// Prepares and runs it; one outcome per check, or one for the whole test. Never throws, never leaves a
/// process.
std::vector<Outcome> execute(const Test& test, const Settings& settings);

/// Judges a driver's results by a file of lines `NAME SECONDS OUTCOME REASON… : COMMAND…`. The outcomes:
/// pass, fail, skip, either (depends on the machine's speed, say), omit (not run at all). All but pass need a
/// reason.
std::vector<Outcome> compare_with_list(const std::string& console, const std::string& list,
                                       const std::string& prefix);

} // namespace boot
