// SPDX-License-Identifier: GPL-2.0-only
// Where the time of a run went: the tool, QEMU, the firmware, Linux, init, the program, the end.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ukl {

/// What was seen of a run.
struct BootRecord {
  using Time = std::chrono::steady_clock::time_point;
  Time tool;                         ///< this process began
  Time qemu;                         ///< QEMU was started
  std::optional<Time> first_output;  ///< the program's first byte was here
  std::optional<Time> program_ended; ///< as init said
  Time end;                          ///< QEMU had ended
  std::optional<Time> times_came;    ///< when the first of `lines` was here
  std::vector<std::string> lines;    ///< init's `times`, `clock` and `initcall` (kControlPort)
  std::uint64_t kilohertz = 0;       ///< of the counter in these
};

/// One part of it. All milliseconds, from `tool` on.
struct BootSpan {
  std::string
      name; ///< of a phase: tool, qemu, firmware, kernel, init, program, end; of an initcall: its function
  double start = 0;
  double duration = 0;
};

struct BootTimes {
  /// In order, and each begins where the one before ends, but for `first output`, which is inside of
  /// `program`. What was not seen is missing, and its time is the next one's.
  std::vector<BootSpan> phases;
  std::optional<double> first_output; ///< since the program's start
  std::vector<BootSpan> initcalls;    ///< of the kernel, in order
  double total = 0;
};

/// Malformed lines (they come out of the machine) are left out.
BootTimes boot_times(const BootRecord& record);

/// For people: a line for each phase.
std::string describe(const BootTimes& times);

} // namespace ukl
