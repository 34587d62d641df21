// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/file_plan.hpp"

#include "rewrite/own_file.hpp"
#include "rewrite/segment.hpp"

namespace ukl {
namespace {

using namespace rewrite;

RewriteReport make_report(const ElfView& elf, std::vector<Site> sites, const std::string& name) {
  RewriteReport report;
  report.file = name;
  for (const auto& region : elf.executable)
    report.text_bytes += region.bytes.size();
  for (const auto& site : sites) {
    report.known.insert(site.numbers.begin(), site.numbers.end());
    // What does not decode is most probably data; it counts as a site that may make any call all the same.
    if (site.numbers.empty())
      report.unknown_numbers = true;
  }
  report.sites = std::move(sites);
  return report;
}

} // namespace

Result<FilePlan> plan_file(const ElfView& elf, const std::string& name) {
  FilePlan plan;
  TRY_LET(plan.before, find_mark(elf, name));
  plan.map = std::make_unique<FunctionMap>(elf);
  if (plan.before)
    return plan;
  plan.sites = plan_sites(elf, *plan.map);
  plan.kept = reason_to_keep(elf);
  if (plan.kept == Reason::none)
    return plan;
  for (auto& planned : plan.sites) {
    planned.site.treatment = Treatment::left;
    planned.site.reason = plan.kept;
  }
  return plan;
}

RewriteReport report_plan(const ElfView& elf, const FilePlan& plan, const std::string& name) {
  std::vector<Site> sites;
  if (plan.before) {
    sites = *plan.before;
    for (auto& site : sites)
      if (elf.text_at(site.address))
        site.function = plan.map->name(site.address);
  } else {
    for (const auto& planned : plan.sites)
      sites.push_back(planned.site);
  }
  auto report = make_report(elf, std::move(sites), name);
  report.kept = plan.kept;
  report.already_rewritten = plan.before.has_value();
  return report;
}

Result<RewrittenFile> rewrite_file(const ElfView& elf, FilePlan plan, const RewriteOptions& options) {
  RewrittenFile file;
  if (!plan.before) {
    auto traps = plan.kept == Reason::none ? find_traps(elf, *plan.map) : std::vector<TrapSite>{};
    TRY_LET(file.contents, append_stubs(elf, plan.sites, traps, options));
  }
  file.report = report_plan(elf, plan, options.name);
  if (!file.contents.empty())
    file.report.added_bytes = file.contents.size() - elf.bytes.size();
  return file;
}

} // namespace ukl
