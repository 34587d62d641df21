// SPDX-License-Identifier: GPL-2.0-only
// Parts as a picture.
#pragma once

#include "image/makeup.hpp"

namespace ukl {

/// An SVG file: for each whole a rectangle, in which each part has an area as large as its share. Readable on
/// white and on black.
std::string treemap(const std::vector<Part>& wholes, const std::string& title);

} // namespace ukl
