// SPDX-License-Identifier: GPL-2.0-only
// Settings of the kernel (sysctl(8)) that the image asks for.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Hides the kernel's addresses and log from programs, then writes each key::sysctl to /proc/sys. Ends the
/// machine if the kernel does not take one.
void set_kernel_settings(const Manifest& settings);

} // namespace ukl::init
