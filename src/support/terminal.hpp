// SPDX-License-Identifier: GPL-2.0-only
// What the user sees: errors, notes and progress on standard error; colour and bars only on a terminal.
#pragma once

#include "support/reporter.hpp"
#include "support/result.hpp"

#include <cstdint>
#include <string>

namespace ukl {

/// True if standard error is a terminal and neither NO_COLOR nor TERM=dumb forbids colour.
bool colour_allowed();

/// `ukl: message` and, below it, `hint: …`, on standard error.
void print_error(const Error& error);

/// `ukl: text` on standard error, for something the user should know that is no error.
void print_note(const std::string& text);

/// Reports on standard error: notes as print_note does, progress as a bar on a terminal and a line every 10 %
/// elsewhere.
Reporter& terminal_reporter();

} // namespace ukl
