// SPDX-License-Identifier: GPL-2.0-only
// What is known of a machine, for as long as anybody may want to know it. Each has a folder, named as the
// machine, below Places::machines:
//   plan.json    what was asked for; never changes
//   state.json   how it is; replaced as a whole
//   spare        room for a state, on a disk that has none left
//   lock         locked by whoever looks after the machine, as long as that lives
//   log, log.1   what the program's streams said (log.hpp)
//   attach       a socket (attach_protocol.hpp)
//   stop         is there once somebody asked the machine to end for good
// Nothing has to be remembered anywhere else, and no process is needed to read it.
#pragma once

#include "support/files.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <sys/types.h>

namespace ukl {

/// Milliseconds since 1970.
using Moment = std::chrono::sys_time<std::chrono::milliseconds>;
Moment now();
/// `2026-11-26T10:20:30.123Z`
std::string describe(Moment moment);

/// What was asked for.
struct RecordedPlan {
  std::string name;
  std::string project;               ///< that it belongs to (ukl up); mostly none
  std::string image;                 ///< absolute
  std::vector<std::string> command;  ///< ours, as it was written, and
  std::string folder;                ///< where that was
  std::vector<std::string> ports;    ///< 127.0.0.1:8080->80/tcp
  std::vector<std::string> networks; ///< of each card, as --network takes them (HostNetwork::text)
  std::uint64_t memory = 0;          ///< bytes
  unsigned cpus = 1;
  std::string restart = "no"; ///< no, on-failure, on-failure:N or always
  int stop_signal = 15;       ///< what asks the program to end
  bool detached = false;      ///< it outlives whoever started it
  bool remove = false;        ///< nothing stays when it has ended
  bool interactive = false;   ///< its standard input is for ukl attach
  bool terminal = false;      ///< its streams are a terminal
  Moment created{};
};

/// How a machine is, as far as its own process has said it.
struct MachineState {
  enum class Phase { starting, running, restarting, ended };
  Phase phase = Phase::starting;
  pid_t pid = 0;                 ///< whoever passes signals on to the program
  std::uint64_t pid_started = 0; ///< when that process began (process_start_time)
  pid_t keeper = 0;              ///< whoever looks after the machine; may be the same process
  std::uint64_t keeper_started = 0;
  pid_t qemu = 0;                ///< 0: there is none
  std::optional<Moment> started; ///< the program
  std::optional<Moment> ended;   ///< the machine
  std::optional<int> status;     ///< as `ukl run` would exit
  std::string sentence;          ///< how it ended: `Exited (0)`, `Kernel panic: …`
  unsigned restarts = 0;
  bool log_is_incomplete = false; ///< the disk was full
};

/// A machine as others see it.
struct KnownMachine {
  std::filesystem::path folder;
  RecordedPlan plan;
  MachineState state;
  bool alive = false; ///< somebody looks after it

  /// `running`, `starting`, `restarting` or `exited`.
  std::string phase() const;
  /// `Up 5 minutes`, `Exited (0) 3 minutes ago`, `Killed by the host`, …
  std::string sentence(Moment now) const;
};

/// The record of a machine that this process looks after.
class MachineRecord {
public:
  /// Makes the folder below `machines` and locks it. An empty name becomes that of the image's file, with a
  /// number if that is taken. Errors: usage (no name of a machine), name_in_use, unwritable, disk_full.
  static Result<MachineRecord> create(const std::filesystem::path& machines, RecordedPlan plan);

  const std::filesystem::path& folder() const { return folder_; }
  const RecordedPlan& plan() const { return plan_; }
  /// On a full disk, in the room that was set aside for it, and in that of the older half of the log.
  void write(const MachineState& state) const;
  /// Somebody asked for its end.
  bool stop_asked() const;
  /// Removes the folder; the name is free again.
  void remove();

private:
  std::filesystem::path folder_;
  RecordedPlan plan_;
  FileDescriptor lock_;
};

/// All machines, oldest first. Removes what is left of those that were to leave nothing and were killed.
std::vector<KnownMachine> known_machines(const std::filesystem::path& machines);
/// The machine of that name. Error: no_such_machine, with the names that there are.
Result<KnownMachine> known_machine(const std::filesystem::path& machines, const std::string& name);

/// Asks for the end for good: after it the machine is not started again.
Result<void> ask_to_stop(const KnownMachine& machine);
/// Sends a signal to the process that passes signals on, if it still is that process. False: it is not.
bool send_signal(const KnownMachine& machine, int signal);
/// Kills the machine. Whoever looks after it may still write how it ended, but has two seconds for it.
void kill_machine(const KnownMachine& machine);
/// Whether somebody looks after it now.
bool is_alive(const KnownMachine& machine);
/// Waits until nobody looks after the machine any more. False: it is still there after `most`. An interrupt
/// (support/interrupt.hpp) ends the wait, too.
bool wait_for_end(const KnownMachine& machine, std::optional<std::chrono::milliseconds> most = std::nullopt);
/// Removes the record of a machine that has ended. Errors: machine_runs, unwritable.
Result<void> remove_record(const KnownMachine& machine);

/// When a process began, in clock ticks since the host's start (proc(5), stat, field 22); 0: there is none.
std::uint64_t process_start_time(pid_t pid);

} // namespace ukl
