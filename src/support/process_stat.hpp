// SPDX-License-Identifier: GPL-2.0-only
// The numbers of /proc/PID/stat.
#pragma once

#include <array>
#include <cstdint>
#include <sys/types.h>

namespace ukl {

/// By their numbers in proc(5), from 4 on: 22 is when the process began, in clock ticks since the host's
/// start. All 0 if there is no such process.
std::array<std::uint64_t, 25> process_stat(pid_t pid);

} // namespace ukl
