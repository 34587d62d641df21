// SPDX-License-Identifier: GPL-2.0-only
// What a process takes of this machine.
#pragma once

#include <chrono>
#include <cstdint>
#include <sys/types.h>

namespace ukl {

struct Usage {
  std::chrono::milliseconds cpu{0};    ///< user and system, since it began
  std::uint64_t memory = 0;            ///< bytes in RAM
  std::uint64_t read = 0, written = 0; ///< bytes, to disks
  unsigned threads = 0;
};

/// From /proc/PID/stat, statm and io (proc(5)); zeros for what cannot be read.
Usage usage_of(pid_t pid);

} // namespace ukl
