// SPDX-License-Identifier: GPL-2.0-only
// What the user means by PROGRAM: an ELF file, or a script and the interpreter that its first line names.
#pragma once

#include "contents/file_view.hpp"
#include "elf/elf_files.hpp"

namespace ukl {

/// A program as found on this machine, or in a tree.
struct Program {
  std::filesystem::path path; ///< absolute; may lead through symbolic links
  std::filesystem::path file; ///< of this machine, that holds it: `path`, unless it was found in a tree
  bool script = false;
  std::vector<std::filesystem::path>
      interpreters; ///< of a script: what #! names and, if that is env, what env starts
};

/// Finds a program: a path, or a bare name that is looked up in `search_path` (folders with colons between,
/// as $PATH). `view` says where. Errors: not_found, unreadable, not_elf (neither ELF nor script, or a
/// library), wrong_architecture.
Result<Program> find_program(const std::string& name, const std::string& search_path, ElfFiles& elf_files,
                             const FileView& view = *view_of_machine());

/// The interpreters that a script's beginning asks for, as Linux reads it (execve(2), "Interpreter scripts"):
/// paths, and for `#!/usr/bin/env NAME` also NAME. Empty if it is no script.
std::vector<std::string> script_interpreters(std::span<const std::uint8_t> bytes);

} // namespace ukl
