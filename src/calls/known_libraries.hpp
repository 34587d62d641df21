// SPDX-License-Identifier: GPL-2.0-only
// Libraries that keep the number of a call, or a function that makes any call, in memory where no analysis of
// their code can follow it: what their sources say.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ukl::rewrite {

/// Numbers of all calls that a library of that name makes at the places whose numbers the analysis does not
/// find, or null if nothing is known about it.
const std::vector<std::uint32_t>* known_library_calls(std::string_view soname);

} // namespace ukl::rewrite
