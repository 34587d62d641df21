// SPDX-License-Identifier: GPL-2.0-only
// What a run does so that its machine is kept, or goes on from a kept one.
#pragma once

#include "machine/options.hpp"
#include "machine/supervisor.hpp"
#include "machine/warm_steps.hpp"

namespace ukl {

/// What a machine that goes on is told: the settings of this run and a seed for its random numbers, in
/// hexadecimal digits. Error: unreadable (this machine has no random numbers).
Result<std::string> go_on_settings(Manifest settings);

/// A file descriptor that QEMU inherits is named by its number. No system calls: a test can play both sides.
class WarmKeeping {
public:
  using Time = MachineSupervisor::Time;

  /// `state`: for a machine that goes on, the descriptor of the state's file in QEMU.
  WarmKeeping(const MachineOptions::Warm& warm, int state, std::string settings);

  /// QEMU has greeted.
  void on_greeting(QemuMonitor& monitor);
  /// The program has started, said what is waited for, or somebody listens on this port.
  void on_start(MachineSupervisor& supervisor);
  void on_line(MachineSupervisor& supervisor);
  void on_listening(std::uint16_t port, MachineSupervisor& supervisor);
  /// To be called after every event. `written`: bytes of output that our own descriptors have taken.
  void look(QemuMonitor& monitor, MachineSupervisor& supervisor, std::uint64_t written, Time now);
  std::optional<Time> next_time() const;

  /// The machine is kept: it has to end now.
  bool kept() const { return warm_.use == MachineOptions::Warm::Use::keep && steps_ && steps_->done(); }
  /// What went wrong; empty: nothing.
  std::string error() const { return steps_ ? steps_->error() : ""; }

private:
  void ask_how_quiet(MachineSupervisor& supervisor);

  MachineOptions::Warm warm_;
  std::string settings_;
  std::optional<WarmSteps> steps_;
  std::optional<std::uint64_t> expected_; ///< so many bytes of output there were when init was asked
  std::optional<Time> settle_;            ///< until then more may come of what a stopped machine had written
  bool asked_ = false, went_on_ = false;
};

} // namespace ukl
