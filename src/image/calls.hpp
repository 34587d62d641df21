// SPDX-License-Identifier: GPL-2.0-only
// The system-call sites of a program's file, or of every file in an image.
#pragma once

#include "rewrite/rewriter.hpp"

#include <filesystem>

namespace ukl {

/// One report for each ELF file: of an image all that have sites, by path; of any other file that file alone.
/// A file that is not rewritten yet is reported as it would be. Errors: those of read_payload and
/// inspect_elf.
Result<std::vector<RewriteReport>> find_image_calls(const std::filesystem::path& path);

} // namespace ukl
