// SPDX-License-Identifier: GPL-2.0-only
// When what ran, for `ukl run --time` and `--bootchart`: readings of the time-stamp counter, which begins
// with the machine.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Init has begun. The first thing that it does.
void note_beginning();

/// Sends `times` (kControlPort), if a run asks for it; the program has just been started.
void report_times(const Manifest& settings);

/// Sends `clock` and every `initcall` of the kernel's log, if the times above were asked for with these. For
/// the machine's end: it takes a while.
void report_initcalls();

} // namespace ukl::init
