// SPDX-License-Identifier: GPL-2.0-only
// The machine's CPUs.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Ends the machine if Linux brought up fewer CPUs than the settings name (`cpus`): its tables may not list
/// them all.
void check_processors(const Manifest& settings);

} // namespace ukl::init
