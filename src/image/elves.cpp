// SPDX-License-Identifier: GPL-2.0-only
#include "image/elves.hpp"
#include "image/kernel_functions.hpp"
#include "rewrite/report.hpp"
#include "support/interrupt.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace ukl {
namespace {

Result<void> go_on() {
  if (interrupted())
    return Error{Failure::interrupted, "interrupted while packing; nothing was left behind", ""};
  return {};
}

// What the file holds; another entry of the tree may be the same file of the host.
Bytes take_bytes(ImageElf& elf) {
  return elf.file.use_count() == 1 ? std::move(elf.file->bytes) : elf.file->bytes;
}

} // namespace

Result<std::vector<ImageElf>> read_elves(const RootTree& tree, ElfFiles elf_files, bool planned) {
  std::vector<ImageElf> elves;
  std::set<std::pair<std::uint64_t, std::uint64_t>> seen;
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.type != TreeEntry::Type::file || entry.host_path.empty())
      continue;
    if (entry.host_inode != 0 && !seen.emplace(entry.host_device, entry.host_inode).second)
      continue;
    auto file = elf_files.find(entry.host_path);
    if (!file || !file->view)
      continue;
    TRY(go_on());
    ImageElf elf{path, file, {}};
    // A damaged plug-in among the added files works as badly as before.
    if (planned)
      if (auto plan = plan_file(*file->view, path))
        elf.plan = std::move(*plan);
    elves.push_back(std::move(elf));
  }
  return elves;
}

Result<std::vector<ImageElf>> link_kernel_functions(std::vector<ImageElf> elves,
                                                    const std::filesystem::path& vmlinux) {
  for (auto& elf : elves)
    TRY(link_kernel_functions(*elf.file, elf.path, vmlinux));
  return elves;
}

Result<RewriteSummary> change_elves(RootTree& tree, std::vector<ImageElf> elves, bool rewrite) {
  RewriteSummary summary;
  for (auto& elf : elves) {
    TRY(go_on());
    if (!rewrite || !elf.plan) {
      tree.change_contents(elf.path, take_bytes(elf));
      continue;
    }
    RewriteOptions options;
    options.name = elf.path;
    TRY_LET(auto file, rewrite_file(*elf.file->view, std::move(*elf.plan), options));
    tree.change_contents(elf.path, file.contents.empty() ? take_bytes(elf) : std::move(file.contents));
    elf.file.reset();
    const auto& report = file.report;
    if (report.kept != Reason::none && !report.sites.empty())
      summary.kept.push_back(fmt::format("{}: {}", elf.path, reason_text(report.kept)));
    summary.sites += report.sites.size();
    summary.left +=
        static_cast<std::size_t>(std::ranges::count(report.sites, Treatment::left, &Site::treatment));
  }
  return summary;
}

} // namespace ukl
