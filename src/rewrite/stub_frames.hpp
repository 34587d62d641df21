// SPDX-License-Identifier: GPL-2.0-only
// Unwind information for the stubs, so that a signal that arrives in one can be unwound (thread cancellation,
// C++ exceptions out of handlers, backtraces). Each stub instruction looks like a frame of its own without a
// size, called from the system call's return address; so the function's own tables, cleanups included, say
// all the rest.
// A program that gcc links statically has no search table, only frame entries that cannot be added to, so
// there a signal that arrives in a stub cannot be unwound; from the system call itself it can.
#pragma once

#include "rewrite/stubs.hpp"

namespace ukl::rewrite {

/// A new .eh_frame_hdr with the entries of the file's present one and ours, whose frame entries follow it in
/// the same bytes. `address`: where they will lie. Empty if the file has no such table that we can read.
Bytes make_frame_table(const ElfView& elf, const Stubs& stubs, std::uint64_t address);

} // namespace ukl::rewrite
