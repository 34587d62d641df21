// SPDX-License-Identifier: GPL-2.0-only
// What is known of one ELF file before anything in it is changed: found once, and used both to decide which
// system calls an image answers and to rewrite the file.
#pragma once

#include "rewrite/functions.hpp"
#include "rewrite/plan.hpp"

#include <memory>

namespace ukl {

struct FilePlan {
  std::unique_ptr<rewrite::FunctionMap> map; ///< refers to the view that was planned
  std::vector<rewrite::PlannedSite> sites;   ///< by address
  Reason kept = Reason::none;                ///< not none: the file is to stay as it is
  /// Of a file that was rewritten before, its sites as they were recorded then: it stays as it is, and
  /// nothing is planned.
  std::optional<std::vector<Site>> before;
};

/// Plans a file. `elf` has to outlive the plan; `name` is for messages. Error: not_elf (it was rewritten
/// before, and its table of sites is damaged).
Result<FilePlan> plan_file(const rewrite::ElfView& elf, const std::string& name);

/// What a plan says, for people: what was done to the file, or would be.
RewriteReport report_plan(const rewrite::ElfView& elf, const FilePlan& plan, const std::string& name);

/// A file after rewriting.
struct RewrittenFile {
  Bytes contents; ///< empty if nothing is to be changed
  RewriteReport report;
};

/// Carries a plan out; `elf` and what it refers to stay as they are. Error: rewrite (no room for the new
/// segment).
Result<RewrittenFile> rewrite_file(const rewrite::ElfView& elf, FilePlan plan, const RewriteOptions& options);

} // namespace ukl
