// SPDX-License-Identifier: GPL-2.0-only
// Results as a picture.
#pragma once

#include "results.hpp"

namespace ukl::bench {

/// An SVG file: for each row a group of horizontal bars, one per system, as long as the system is better than
/// the first one (which is the line at 1). The scale is logarithmic and begins at one quarter. Operations by
/// instructions (by time, if no instructions were counted), applications by requests per second. Readable on
/// white and on black.
std::string plot(const Results& results);

} // namespace ukl::bench
