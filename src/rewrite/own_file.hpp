// SPDX-License-Identifier: GPL-2.0-only
// Programs that read their own file: what they look for has to stay where it is.
#pragma once

#include "elf/view.hpp"
#include "rewrite/rewriter.hpp"

namespace ukl::rewrite {

/// How many bytes lie behind everything that the file's headers describe: segments, sections, and the tables
/// of both. Self-extracting archives, AppImages, single-file scripts and the like carry their payload there.
/// They find it from the file's end, or from where section headers, sections or segments end. 0 also where
/// less than 16 zeros follow, as patchelf leaves them: an alignment, and no payload.
std::uint64_t appended_bytes(const ElfView& elf);

/// appended_data or packed if the file has to keep its size and its headers, so that no stub can be added to
/// it; else none. A packed program is one that UPX has compressed: its few instructions unpack it out of its
/// own file, and what they unpack has to be as UPX left it (its l_info, UPX's src/stub/src/include/linux.h,
/// stands behind the program headers).
Reason reason_to_keep(const ElfView& elf);

} // namespace ukl::rewrite
