// SPDX-License-Identifier: GPL-2.0-only
// How the machine ends, and what init says when it must end it.
#pragma once

#include <string>

namespace ukl::init {

/// Statuses of init's own, as container run-times use them.
inline constexpr int kInitFailed = 125;    ///< something failed before the program was started
inline constexpr int kNotExecutable = 126; ///< the program's file cannot be executed
inline constexpr int kNotFound = 127;      ///< the program's file, or its interpreter, does not exist

/// A word for whoever reads the console in place of a control port (ukl/run_settings.hpp), if somebody does.
void tell_console(const std::string& word);

/// Writes `ukl-init: text` as a line on the console.
void say(const std::string& text);

/// say(text), then end_machine(kInitFailed).
[[noreturn]] void fail(const std::string& text);

/// ": No such file or directory" for the present errno.
std::string reason();

/// Ends what still runs, unmounts the volumes, reports the status on the control port and powers off.
[[noreturn]] void end_machine(int status);

} // namespace ukl::init
