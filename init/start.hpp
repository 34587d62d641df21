// SPDX-License-Identifier: GPL-2.0-only
// From the manifest to a running process.
#pragma once

#include "ukl/manifest.hpp"

#include <sys/types.h>

namespace ukl::init {

/// What became of the program: a status of waitpid(2), with WUNTRACED.
struct ProgramReport {
  pid_t pid;
  int wait_status;
};
inline constexpr int kProgramStarted = -1;

/// Of start_program(): descriptors from which init reads.
struct ProgramNews {
  int reports = -1; ///< a ProgramReport each time
  int missing = -1; ///< lines of missing_files.hpp, if the run asks for them
};

/// Opens the program's streams and starts it in a process group of its own, which gets the terminal, with the
/// manifest's environment, working directory and user. Returns once it has really been executed: its process,
/// and in `news` where to learn of it. It is no child of ours, unless its parent is killed. Ends the machine
/// with kNotFound, kNotExecutable or kInitFailed (after saying why) if it cannot be started.
pid_t start_program(const Manifest& settings, ProgramNews& news);

} // namespace ukl::init
