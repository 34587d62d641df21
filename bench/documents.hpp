// SPDX-License-Identifier: GPL-2.0-only
// The benchmark's parts of docs/benchmarks.md and README.md, made from a results file and from nothing else.
#pragma once

#include "results.hpp"

namespace ukl::bench {

/// All headings, tables, notes and commands as Markdown, for docs/benchmarks.md.
std::string markdown_report(const Results& results);

/// What the README shows: five servers' loads on Debian's kernel, ours with the option off, and ours. Other
/// rows and systems are left out, so that the table and the picture have one run and one kernel.
Results excerpt(const Results& results);

/// The excerpt's table with what was measured when and the command that repeats it. Empty without
/// applications.
std::string short_report(const Results& results);

/// `document` with what stands between the lines `<!-- bench:begin -->` and `<!-- bench:end -->` replaced by
/// `text`. Error: usage (a marker is missing, or they stand in the wrong order).
Result<std::string> replace_section(const std::string& document, const std::string& text);

} // namespace ukl::bench
