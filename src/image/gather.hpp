// SPDX-License-Identifier: GPL-2.0-only
// All files of an image: the program, what it loads, what the user adds, and what every image has.
#pragma once

#include "contents/program.hpp"
#include "contents/root_tree.hpp"
#include "image/sourced_request.hpp"

namespace ukl {

/// PID 1.
inline constexpr const char* kInitPath = "/init";

struct Gathered {
  RootTree tree;                      ///< whole but for the manifest
  std::vector<std::string> libraries; ///< paths, the dynamic loader included
  std::vector<std::string> skipped;   ///< files of the host that cannot go into an image
  std::vector<std::string> missing; ///< what only added files or the environment need and this machine lacks
  std::vector<std::string> notes;   ///< what else the user should know of the added files
  unsigned mode = 0;                ///< who may read an image of these files (image_mode)
};

/// Gathers them. `elf_files` keeps what was read of ELF files on the way. Nothing of the tree may be
/// `output`, the image to be. Errors: missing_library, not_found, unreadable, usage (files that cannot lie
/// together, or do not fit into an image, or would be overwritten), those of finding init.
Result<Gathered> gather(const SourcedRequest& sourced, const Program& program,
                        const CheckedSettings& settings, const std::filesystem::path& output,
                        ElfFiles& elf_files);

} // namespace ukl
