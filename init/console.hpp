// SPDX-License-Identifier: GPL-2.0-only
// The machine's console, on which init speaks, and the terminal of the session.
#pragma once

namespace ukl::init {

/// Makes /dev/console our 0, 1 and 2, and lets every byte pass as it is.
void open_console();

/// Makes us the leader of a session whose terminal is `descriptor`. init and not the program leads the
/// session: a leader's end hangs up the terminal and drops what it still holds.
void take_terminal(int descriptor);

} // namespace ukl::init
