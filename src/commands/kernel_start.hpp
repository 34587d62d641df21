// SPDX-License-Identifier: GPL-2.0-only
// How long the kernels of the cache take to start.
#pragma once

#include "machine/options.hpp"

#include <chrono>
#include <string>

namespace ukl {

/// From the key to where the program would start, the median of some runs on the machine that `ukl run` takes
/// for the profile; the program is init itself, which ends there. Errors: those of pack and run_machine.
Result<std::chrono::milliseconds> kernel_start(const std::string& profile);

} // namespace ukl
