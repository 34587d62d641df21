// SPDX-License-Identifier: GPL-2.0-only
// Programs that the host starts beside the one that the machine exists for, and files that it reads and
// writes (ukl/exec.hpp). Without key::exec all of this does nothing.
#pragma once

#include "ukl/manifest.hpp"

#include <poll.h>
#include <sys/types.h>
#include <vector>

namespace ukl::init {

/// Opens the port, if this run has one. What is started gets these settings where it brings none of its own.
void open_exec(const Manifest& settings);
/// Tells the host that it may ask for programs, which get these settings.
void exec_ready(const Manifest& settings);
/// Adds what has to be waited for.
void add_exec_events(std::vector<pollfd>& events);
/// Does what can be done without waiting.
void carry_exec();
/// A child of init's has ended with this status of waitpid(2).
void exec_ended(pid_t pid, int wait_status);
/// The program has ended, and with it these.
void end_exec();

} // namespace ukl::init
