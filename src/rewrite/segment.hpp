// SPDX-License-Identifier: GPL-2.0-only
// The segment that a rewritten file gains, and the mark by which it is known later.
#pragma once

#include "rewrite/plan.hpp"
#include "rewrite/traps.hpp"

namespace ukl::rewrite {

/// The file with jumps and traps, with the segment that holds the stubs and the kernel's table of traps, and
/// behind that, in the file only, a table of all sites. Empty if there is nothing to write. Sites that are
/// too far from the stubs become ones that are left alone. Error: rewrite (no room).
Result<Bytes> append_stubs(const ElfView& view, std::vector<PlannedSite>& sites, std::vector<TrapSite>& traps,
                           const RewriteOptions& options);

/// The table that append_stubs left, or nothing if the file was never rewritten. Function names are not in
/// it. Error: not_elf if the mark is there and the table is damaged.
Result<std::optional<std::vector<Site>>> find_mark(const ElfView& view, const std::string& name);

} // namespace ukl::rewrite
