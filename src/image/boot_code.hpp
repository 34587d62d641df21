// SPDX-License-Identifier: GPL-2.0-only
// Code that runs before the kernel (boot/): it was linked without knowing where it will lie.
#pragma once

#include "support/files.hpp"

#include <cstring>

namespace ukl {

/// Fills in a number of 32 bits that an instruction has at this place.
inline void put_number(Bytes& code, std::size_t at, std::uint64_t value) {
  const auto number = static_cast<std::uint32_t>(value);
  std::memcpy(&code[at], &number, sizeof number);
}

} // namespace ukl
