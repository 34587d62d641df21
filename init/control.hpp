// SPDX-License-Identifier: GPL-2.0-only
// The line to `ukl run` (see kControlPort in include/ukl/manifest.hpp). Without one, all of this does
// nothing.
#pragma once

#include <string>
#include <vector>

namespace ukl::init {

/// Finds and opens the control port, if the machine has one.
void open_control();

/// Its descriptor for poll(2), or -1.
int control_descriptor();

/// Reads what came: the numbers of the signals that the program is to get. Closes the port if the host did.
std::vector<int> read_control();

/// Says that the program runs.
void report_started();

/// Says that the program was sent this signal.
void report_signalled(int signal);

/// Says that the program or a child of it made this system call.
void report_call(const std::string& number);

/// Says how the program ended. The last thing written.
void report_status(int status);

} // namespace ukl::init
