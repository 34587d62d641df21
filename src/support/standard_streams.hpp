// SPDX-License-Identifier: GPL-2.0-only
// Standard input, output and error of the tool itself: they may be closed, full or cut off, and the tool must
// neither abort nor pretend that it has printed.
#pragma once

#include "support/result.hpp"

#include <cstddef>
#include <string_view>

namespace ukl {

/// Opens /dev/null in place of each descriptor of 0, 1 and 2 that is closed, so that no file that is opened
/// later gets that number and with it what the tool prints. Comes first in main().
void open_standard_streams();
/// Whether descriptor 0, 1 or 2 was closed when open_standard_streams() was called.
bool was_closed(int descriptor);

/// Writes all of it, also to a descriptor that somebody else has made non-blocking. Returns the errno of the
/// failure, or 0.
int write_all(int descriptor, std::string_view text);

/// Standard output: collected, and written when there is much of it and by flush_output(). What cannot be
/// written is dropped, and flush_output() tells.
void print_output(std::string_view text);
/// Writes what is left. Errors: disk_full, unwritable (also for a closed standard output and a pipe without a
/// reader), from the first failure on for ever.
Result<void> flush_output();

/// The width of lines on standard output: the terminal's, or 80 where it is none.
std::size_t output_width();

/// Standard error, at once. There is nowhere to say that this failed.
void print_message(std::string_view text);

} // namespace ukl
