// SPDX-License-Identifier: GPL-2.0-only
// Sizes and addresses in whole pages and other units.
#pragma once

#include <cstdint>

namespace ukl {

/// Bytes of a page of x86-64, the smallest kind.
inline constexpr std::uint64_t kPage = 4096;

/// The smallest multiple of `unit` (not 0) that is not below `value`.
constexpr std::uint64_t align_up(std::uint64_t value, std::uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

/// How many pages hold so many bytes.
constexpr std::uint64_t pages_of(std::uint64_t bytes) {
  return align_up(bytes, kPage) / kPage;
}

} // namespace ukl
