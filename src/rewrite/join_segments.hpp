// SPDX-License-Identifier: GPL-2.0-only
// One mapping less for the one more that the stubs need.
#pragma once

#include <elf.h>
#include <vector>

namespace ukl::rewrite {

/// Linkers put the file's headers, symbols and relocations into a read-only segment of its own before the
/// text. Where the two are neighbours in the file and in memory, they become one that is readable and
/// executable, as `ld -z noseparate-code` lays a file out. Every mapping costs fork, exec and exit time, and
/// the segment with the stubs adds one; so a process has as many as before. Nothing becomes writable.
void join_headers_and_text(std::vector<Elf64_Phdr>& segments);

} // namespace ukl::rewrite
