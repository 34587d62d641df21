// SPDX-License-Identifier: GPL-2.0-only
// The last steps of a new process to its program, and what to say if one of them fails.
#pragma once

#include "user.hpp"

#include "ukl/manifest.hpp"

namespace ukl::init {

/// What is to be executed. The texts belong to the caller.
struct Execution {
  std::string file;
  std::vector<std::string> arguments, environment;
  std::string directory; ///< empty: as it is
  User user;
};

/// The program, its arguments and environment (PATH finds it), directory and user from the settings. Nothing
/// if there is no such user, after putting the reason into `why`.
bool make_execution(const Manifest& settings, Execution& execution, std::string& why);

/// What a child could not do; goes to its parent through a pipe that exec closes.
struct NotStarted {
  enum Step : int { process, user, directory, execute } step;
  int error_number;
};

/// In the child, with the streams that the program is to have: becomes the user, enters the directory and
/// executes the file, with no signal blocked. Writes what fails, as NotStarted, to `pipe`, and exits.
[[noreturn]] void execute(const Execution& execution, int pipe);
/// The same for a step of the caller's that failed with errno.
[[noreturn]] void give_up(int pipe, NotStarted::Step step);

/// The sentence about it; `status`: kNotFound, kNotExecutable, or kInitFailed.
std::string explain(const NotStarted& failed, const Execution& execution, const std::string& user,
                    int& status);

} // namespace ukl::init
