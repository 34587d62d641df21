// SPDX-License-Identifier: GPL-2.0-only
// What the user reads when the program was killed.
#pragma once

#include "kernel_log.hpp"

#include <sys/types.h>

namespace ukl::init {

/// Says which signal ended the program and, as far as Linux's log tells, at which address it faulted, where
/// it was then, and in which function.
void report_crash(const std::string& program, pid_t pid, int signal, const KernelLog& log);

} // namespace ukl::init
