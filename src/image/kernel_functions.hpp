// SPDX-License-Identifier: GPL-2.0-only
// Kernel functions that a program calls by name (<ukl/kernel.hpp>): looked up when the image is made.
#pragma once

#include "elf/elf_files.hpp"

#include <filesystem>
#include <string>

namespace ukl {

/// Stores, in each record of the program's section `ukl_kernel`, where the named function is in the kernel.
/// `name` is the program's, for messages. A file without that section stays as it is. Errors: missing_symbol
/// (names all that the kernel lacks), not_elf (a damaged section), those of reading the kernel.
Result<void> link_kernel_functions(ElfContents& program, const std::string& name,
                                   const std::filesystem::path& vmlinux);

} // namespace ukl
