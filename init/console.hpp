// SPDX-License-Identifier: GPL-2.0-only
// Standard input, output and error of the program.
#pragma once

#include <sys/types.h>

namespace ukl::init {

/// Makes /dev/console our 0, 1 and 2 and our session's terminal, and lets every byte pass as it is.
void open_console();

/// Replaces standard input by the input port if `ukl run` gave us one (see kInputPort in
/// include/ukl/manifest.hpp).
void open_input();

/// Lets the user that the program runs as open the console again by name.
void give_console_to(uid_t user);

/// Makes the process group the one that the terminal belongs to.
void set_foreground(pid_t group);

} // namespace ukl::init
