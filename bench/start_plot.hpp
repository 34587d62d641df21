// SPDX-License-Identifier: GPL-2.0-only
// How soon, as a picture.
#pragma once

#include "start.hpp"

namespace ukl::bench {

/// An SVG file: a bar for each way to start a hello, as long as the time until its first line, then two for
/// each server, booted and kept, until its first answer. Readable on white and on black.
std::string start_plot(const StartReport& report);

} // namespace ukl::bench
