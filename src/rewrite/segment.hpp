// SPDX-License-Identifier: GPL-2.0-only
// The segment that a rewritten file gains, and the mark by which it is known later.
#pragma once

#include "rewrite/plan.hpp"

namespace ukl::rewrite {

/// Writes the jumps, appends the segment with the stubs, and behind it, in the file only, a table of all
/// sites. `elf` stays as it is if no site can be rewritten. Error: rewrite (no room), with `elf` as it was.
Result<void> append_stubs(Bytes& elf, const ElfView& view, std::vector<PlannedSite>& sites,
                          const RewriteOptions& options);

/// The table that append_stubs left, or nothing if the file was never rewritten. Function names are not in
/// it. Error: not_elf if the mark is there and the table is damaged.
Result<std::optional<std::vector<Site>>> find_mark(const ElfView& view, const std::string& name);

} // namespace ukl::rewrite
