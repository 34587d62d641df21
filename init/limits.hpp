// SPDX-License-Identifier: GPL-2.0-only
// Resource limits (setrlimit(2)).
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Linux's defaults, but as many open files and as much locked memory as the kernel allows; over that the
/// manifest's limits. Children inherit them. Ends the machine if one is unknown or refused.
void set_limits(const Manifest& settings);

} // namespace ukl::init
