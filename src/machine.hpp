// SPDX-License-Identifier: GPL-2.0-only
// A running machine: QEMU as our child, its console on our standard output, signals on their way to the
// program.
#pragma once

#include "machine_options.hpp"
#include "ukl/manifest.hpp"

namespace ukl {

/// How a machine ended.
struct MachineEnd {
  int status = 0;                         ///< the program's exit status, or 128 + signal
  std::chrono::milliseconds started{};    ///< from QEMU's start until init had started the program; 0: never
  std::chrono::milliseconds first_byte{}; ///< until the console's first byte; 0: none came
  std::chrono::milliseconds total{};      ///< until QEMU had ended
  std::vector<std::uint32_t> calls;       ///< system calls that were made, if they were traced
};

/// A machine that ran longer than its timeout ends with this status, as from timeout(1).
inline constexpr int kTimedOut = 124;

/// Runs it to its end. `options.accelerator` is kvm or tcg. While it runs, SIGINT, SIGTERM, SIGHUP, SIGQUIT,
/// SIGUSR1 and SIGUSR2 that we get go to the program. Our standard input goes to the program's: through the
/// console if it is a terminal, else through a port that ends with it. `quiet` discards the console and reads
/// no input. Errors: machine or too_little_memory (it ended without a status), missing_tool, port_in_use,
/// interrupted, usage.
Result<MachineEnd> run_machine(const MachineOptions& options, const Manifest& manifest, bool quiet = false);

} // namespace ukl
