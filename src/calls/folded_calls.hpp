// SPDX-License-Identifier: GPL-2.0-only
// An image's system calls as a person reads them: by what becomes of them, with names, in lines of the
// terminal's width.
#pragma once

#include "calls/kind.hpp"

#include <map>
#include <string>
#include <vector>

namespace ukl {

/// Names of an image's system calls by the name of their kind, sorted. What Linux has no name for keeps its
/// number. Calls that are entered as the kernel does it by itself are left out.
std::map<std::string, std::vector<std::string>> calls_by_kind(const CallTable& table);

/// `label: word word …`, broken into lines of at most `width` columns, the later ones indented by four; ends
/// with a newline. A word that is wider has a line for itself.
std::string folded(const std::string& label, const std::vector<std::string>& words, std::size_t width);

} // namespace ukl
