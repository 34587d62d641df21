// SPDX-License-Identifier: GPL-2.0-only
// A run's times as a picture.
#pragma once

#include "machine/boot_times.hpp"

namespace ukl {

/// SVG: the phases in one bar, and below it the kernel's initcalls that took longest, each at its time.
/// `title` stands above.
std::string bootchart(const BootTimes& times, const std::string& title);

} // namespace ukl
