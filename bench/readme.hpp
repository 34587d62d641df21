// SPDX-License-Identifier: GPL-2.0-only
// The benchmark's part of README.md, made from a results file and from nothing else.
#pragma once

#include "results.hpp"

namespace ukl::bench {

/// Headings, tables, notes and commands as Markdown.
std::string markdown_report(const Results& results);

/// `readme` with what stands between the lines `<!-- bench:begin -->` and `<!-- bench:end -->` replaced by
/// `text`. Error: usage (a marker is missing, or they stand in the wrong order).
Result<std::string> replace_section(const std::string& readme, const std::string& text);

} // namespace ukl::bench
