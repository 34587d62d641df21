// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/rewriter.hpp"

#include "rewrite/file_plan.hpp"

namespace ukl {

using namespace rewrite;

bool is_rewritable(std::span<const std::uint8_t> elf) {
  const auto header = load<Elf64_Ehdr>(elf, 0);
  return header && std::memcmp(header->e_ident, ELFMAG, SELFMAG) == 0 &&
         header->e_ident[EI_CLASS] == ELFCLASS64 && header->e_ident[EI_DATA] == ELFDATA2LSB &&
         header->e_machine == EM_X86_64 && (header->e_type == ET_EXEC || header->e_type == ET_DYN);
}

Result<RewriteReport> rewrite_elf(Bytes& elf, const RewriteOptions& options) {
  TRY_LET(const auto view, ElfView::parse(elf, options.name));
  TRY_LET(auto plan, plan_file(view, options.name));
  TRY_LET(auto file, rewrite_file(view, std::move(plan), options));
  if (!file.contents.empty())
    elf = std::move(file.contents);
  return std::move(file.report);
}

Result<RewriteReport> inspect_elf(std::span<const std::uint8_t> elf, const RewriteOptions& options) {
  TRY_LET(const auto view, ElfView::parse(elf, options.name));
  TRY_LET(const auto plan, plan_file(view, options.name));
  return report_plan(view, plan, options.name);
}

} // namespace ukl
