// SPDX-License-Identifier: GPL-2.0-only
// What the user means by PROGRAM: an ELF file, or a script and the interpreter that its first line names.
#pragma once

#include "elf_file.hpp"

namespace ukl {

/// A program as found on this machine.
struct Program {
  std::filesystem::path path; ///< absolute; may lead through symbolic links
  bool script = false;
  std::vector<std::filesystem::path>
      interpreters; ///< of a script: what #! names and, if that is env, what env starts
  ElfFile elf;      ///< of the program, if it is no script
};

/// Finds a program: a path, or a bare name that is looked up in `search_path` (folders with colons between,
/// as $PATH). Errors: not_found, unreadable, not_elf (neither ELF nor script, or a library),
/// wrong_architecture.
Result<Program> find_program(const std::string& name, const std::string& search_path);

/// The interpreters that a script's beginning asks for, as Linux reads it (execve(2), "Interpreter scripts"):
/// paths, and for `#!/usr/bin/env NAME` also NAME. Empty if it is no script.
std::vector<std::string> script_interpreters(std::span<const std::uint8_t> bytes);

} // namespace ukl
