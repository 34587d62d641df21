// SPDX-License-Identifier: GPL-2.0-only
// A running machine: QEMU as our child, its console on our standard output, signals on their way to the
// program.
#pragma once

#include "machine/boot_times.hpp"
#include "machine/options.hpp"
#include "ukl/manifest.hpp"

#include <functional>

namespace ukl {

/// How a machine ended.
struct MachineEnd {
  int status = 0;                         ///< the program's exit status, or 128 + signal
  std::chrono::milliseconds started{};    ///< from QEMU's start until init had started the program; 0: never
  std::chrono::milliseconds first_byte{}; ///< until the console's first byte; 0: none came
  std::chrono::milliseconds total{};      ///< until QEMU had ended
  std::optional<BootRecord> times;        ///< when what ran, if that was asked for
  std::vector<std::uint32_t> calls;       ///< system calls that were made, if they were traced
  std::vector<std::string> missing;       ///< files that were not found (MachineSupervisor::missing)
};

/// What whoever looks after a machine is told while it runs, a line each:
///   `qemu PID`          QEMU runs
///   `started`           the program runs
///   `listening PORT`    it listens on a port of MachineOptions::awaited
///   `verdict SENTENCE`  how the machine ended, where the status does not say it
using MachineNews = std::function<void(const std::string&)>;

/// A machine that ran longer than its timeout ends with this status, as from timeout(1).
inline constexpr int kTimedOut = 124;

/// Runs it to its end. `options.accelerator` is kvm or tcg. While it runs, what is done to us is done to the
/// program: the signals that we get (see SignalQueue) go to it, and our standard streams are its own (see
/// HostStreams); a terminal of ours is raw then, and restored at the end. The console, on which only Linux
/// and init write, goes to our standard error. `quiet` discards the console and gives the program /dev/null.
/// Nothing that somebody else does not read or write keeps us from stopping the machine. Errors: machine or
/// too_little_memory (it ended without a status), missing_tool, port_in_use, interrupted, usage, disk_full
/// and unwritable (what the program wrote could not be written).
Result<MachineEnd> run_machine(const MachineOptions& options, const Manifest& manifest, bool quiet = false,
                               const MachineNews& news = {});

} // namespace ukl
