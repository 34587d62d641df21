// SPDX-License-Identifier: GPL-2.0-only
// How QEMU keeps a machine, and lets it go on: its migration of the state alone (capability x-ignore-shared:
// the memory is in its file), as commands of its machine protocol, each given when the last one is answered.
#pragma once

#include "machine/qemu_monitor.hpp"

#include <chrono>

namespace ukl {

/// No system calls but the monitor's own: a test can say what QEMU answers.
class WarmSteps {
public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Kind { keep, go_on };

  /// `uri`: where QEMU writes the state to, or reads it from.
  WarmSteps(Kind kind, std::string uri) : kind_(kind), uri_(std::move(uri)) {}

  /// Keep: stops the machine. Go on: begins.
  void begin(QemuMonitor& monitor);
  /// Keep, once stopped(): nothing was missed, so that the state can be written; or the machine runs on, and
  /// begin() may follow.
  void confirm(QemuMonitor& monitor, bool all_is_here);
  /// To be called when answers may have come, and at next_time().
  void look(QemuMonitor& monitor, Time now);
  std::optional<Time> next_time() const { return ask_at_; }

  /// Keep: the machine is stopped, and waits for confirm().
  bool stopped() const { return step_ == Step::stopped; }
  /// Keep: the state is written. Go on: the machine runs.
  bool done() const { return step_ == Step::done; }
  /// What QEMU said when it could not; empty: nothing.
  const std::string& error() const { return error_; }

private:
  enum class Step { idle, stopping, stopped, allowing, moving, continuing, done, failed };

  void ask(QemuMonitor& monitor, Step step, const std::string& command, const std::string& arguments = "{}");

  Kind kind_;
  std::string uri_, error_;
  Step step_ = Step::idle;
  bool asked_progress_ = false;
  std::optional<Time> ask_at_;
};

} // namespace ukl
