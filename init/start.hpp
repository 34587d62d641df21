// SPDX-License-Identifier: GPL-2.0-only
// From the manifest to a running process.
#pragma once

#include "ukl/manifest.hpp"

#include <sys/types.h>

namespace ukl::init {

/// Starts the program in a process group of its own, which gets the terminal, with the manifest's
/// environment, working directory and user. Returns once it has really been executed; ends the machine with
/// kNotFound, kNotExecutable or kInitFailed (after saying why) if that fails.
pid_t start_program(const Manifest& settings, const std::vector<std::string>& arguments);

} // namespace ukl::init
