// SPDX-License-Identifier: GPL-2.0-only
// The ELF files of an image on their way from this machine into its payload.
#pragma once

#include "contents/root_tree.hpp"
#include "elf/elf_files.hpp"
#include "rewrite/file_plan.hpp"

#include <optional>

namespace ukl {

/// One ELF file of the image.
struct ImageElf {
  std::string path; ///< in the image; of a file with several names the first
  std::shared_ptr<ElfContents> file;
  std::optional<FilePlan> plan; ///< nothing if nobody needs one, or the file cannot be rewritten
};

/// All of the tree, by path. `elf_files` is what is known already. `planned`: with plans. Files that are
/// damaged have none and go into the image as they are. Error: interrupted.
Result<std::vector<ImageElf>> read_elves(const RootTree& tree, ElfFiles elf_files, bool planned);

/// Looks up, in each file, the kernel functions that it calls by name (kernel_functions.hpp).
Result<std::vector<ImageElf>> link_kernel_functions(std::vector<ImageElf> elves,
                                                    const std::filesystem::path& vmlinux);

/// What rewriting did.
struct RewriteSummary {
  std::size_t sites = 0;         ///< system-call sites
  std::size_t left = 0;          ///< of them still using the instruction
  std::vector<std::string> kept; ///< files whose sites all do, and why: `PATH: REASON`
};

/// Puts the files into the tree as they are to be in the image: rewritten if `rewrite`, else as they were
/// linked. Errors: rewrite (no room in a file), interrupted.
Result<RewriteSummary> change_elves(RootTree& tree, std::vector<ImageElf> elves, bool rewrite);

} // namespace ukl
