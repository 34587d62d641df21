// SPDX-License-Identifier: GPL-2.0-only
// The program that the machine exists for.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Starts it, carries its streams, passes signals on to it, reaps every process that ends, and returns when
/// it has ended: its exit status, or 128 + signal after a report of what killed it. If it ended with 0 and
/// has left a daemon, only when all that it left has ended. Ends the machine with kNotFound or kNotExecutable
/// if it cannot be started.
int run_program(const Manifest& settings);

} // namespace ukl::init
