// SPDX-License-Identifier: GPL-2.0-only
// The process that looks after a machine which outlives its starter. The machine itself, with QEMU, is its
// child, exactly as `ukl run` would be in a shell: with pipes for its streams, and every signal passed on.
#pragma once

#include "lifecycle/record.hpp"
#include "lifecycle/restart_policy.hpp"
#include "machine/run.hpp"

namespace ukl {

struct Supervision {
  MachineRecord record;
  RestartPolicy restart;
  std::uint64_t most_log = 0; ///< bytes
  std::string window;         ///< the size of its terminal at first, if it has one (window_size)
  /// Runs the machine once.
  std::function<Result<MachineEnd>(const MachineNews&)> run;
};

/// Looks after the machine to its last end: keeps its log and its state, serves who is attached, and starts
/// it again as `restart` says. Nothing of it goes to this process's own streams. `report` gets lines: those
/// of MachineNews, `failed NUMBER` with a Failure and two more lines, message and hint, if the machine could
/// not be run, and `ended SENTENCE`; it is closed before a second start. Needs a process without threads.
void supervise(Supervision supervision, FileDescriptor report);

} // namespace ukl
