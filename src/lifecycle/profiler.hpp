// SPDX-License-Identifier: GPL-2.0-only
// Where a running machine spends its time: it is stopped for a moment again and again, and what its
// processors do is read through QEMU's gdbstub. Nothing of it is in the machine, so it costs nothing while
// nobody looks.
#pragma once

#include "lifecycle/flame_graph.hpp"
#include "lifecycle/record.hpp"

#include <chrono>
#include <optional>

namespace ukl {

struct ProfileOptions {
  std::optional<std::chrono::milliseconds> time; ///< none: until the machine ends
  unsigned rate = 100;                           ///< samples in a second of each processor
};

struct Profile {
  CallTree calls;                       ///< while a processor had something to do
  std::uint64_t idle = 0;               ///< samples of one that had not
  std::chrono::milliseconds time{0};    ///< that passed
  std::chrono::milliseconds stopped{0}; ///< of these the machine stood still
  bool ended = false;                   ///< the machine has
  std::vector<std::string> notes;       ///< what could not be told, in sentences
};

/// Ends with the time, the machine, or an interrupt (support/interrupt.hpp), which is no error. Errors: those
/// of QemuClient and of open_gdb_stub.
Result<Profile> profile_machine(const KnownMachine& machine, const ProfileOptions& options);

} // namespace ukl
