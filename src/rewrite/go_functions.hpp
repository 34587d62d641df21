// SPDX-License-Identifier: GPL-2.0-only
// Go's function table, which stays in a stripped Go program (Go source: runtime/symtab.go, pcHeader;
// versions 1.18 and later).
#pragma once

#include "elf/view.hpp"

namespace ukl::rewrite {

/// Start addresses of all functions of a Go program, unsorted; empty for other files.
std::vector<std::uint64_t> go_function_starts(const ElfView& elf);

/// The name of the function that starts there, as Go's linker writes it; empty if there is none.
std::string_view go_function_name(const ElfView& elf, std::uint64_t start);

} // namespace ukl::rewrite
