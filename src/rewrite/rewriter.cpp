// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/rewriter.hpp"

#include "rewrite/functions.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/segment.hpp"

namespace ukl {
namespace {

using namespace rewrite;

RewriteReport make_report(const ElfView& view, std::vector<Site> sites, const std::string& name) {
  RewriteReport report;
  report.file = name;
  for (const auto& region : view.executable)
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

// The report of a file that was rewritten before, if it was.
Result<std::optional<RewriteReport>> report_from_mark(const ElfView& view, const std::string& name) {
  auto marked = find_mark(view, name);
  if (!marked)
    return marked.error();
  if (!*marked)
    return std::optional<RewriteReport>{};
  const FunctionMap map(view);
  for (auto& site : **marked)
    if (view.text_at(site.address))
      site.function = map.name(site.address);
  auto report = make_report(view, std::move(**marked), name);
  report.already_rewritten = true;
  return std::optional(std::move(report));
}

std::vector<Site> sites_of(const std::vector<PlannedSite>& planned) {
  std::vector<Site> sites;
  for (const auto& site : planned)
    sites.push_back(site.site);
  return sites;
}

} // namespace

bool is_rewritable(std::span<const std::uint8_t> elf) {
  const auto header = load<Elf64_Ehdr>(elf, 0);
  return header && std::memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
         header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
         header->e_machine == EM_X86_64 && (header->e_type == ET_EXEC || header->e_type == ET_DYN);
}

Result<RewriteReport> rewrite_elf(Bytes& elf, const RewriteOptions& options) {
  auto view = ElfView::parse(elf, options.name);
  if (!view)
    return view.error();
  auto before = report_from_mark(*view, options.name);
  if (!before)
    return before.error();
  if (*before)
    return std::move(**before);

  auto planned = plan_sites(*view);
  const auto size = elf.size();
  if (auto done = append_stubs(elf, *view, planned, options); !done)
    return done.error();
  // The view's bytes are gone now, but not their sizes.
  auto report = make_report(*view, sites_of(planned), options.name);
  report.added_bytes = elf.size() - size;
  return report;
}

Result<RewriteReport> inspect_elf(std::span<const std::uint8_t> elf, const RewriteOptions& options) {
  auto view = ElfView::parse(elf, options.name);
  if (!view)
    return view.error();
  auto before = report_from_mark(*view, options.name);
  if (!before)
    return before.error();
  if (*before)
    return std::move(**before);
  return make_report(*view, sites_of(plan_sites(*view)), options.name);
}

} // namespace ukl
