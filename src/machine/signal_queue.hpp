// SPDX-License-Identifier: GPL-2.0-only
// Signals that are passed on instead of being obeyed.
#pragma once

#include "support/files.hpp"

#include <csignal>
#include <utility>
#include <vector>

namespace ukl {

/// While it lives, every signal that somebody may send on purpose queues up here: all but those that cannot
/// be caught, that report a fault of ours (SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGSYS, SIGABRT).
/// SIGCHLD says that a child has stopped, goes on or has ended. SIGPIPE, SIGTTIN and SIGTTOU are ignored. One
/// at a time. By handlers and not by blocking them, because a child would inherit what is blocked.
class SignalQueue {
public:
  /// Error: unwritable (no descriptors left).
  static Result<SignalQueue> create();
  SignalQueue(SignalQueue&& other) noexcept;
  SignalQueue& operator=(SignalQueue&&) = delete;
  ~SignalQueue();

  /// Readable once a signal is there; for poll(2).
  int descriptor() const { return reader_.get(); }
  /// The signals that came, in order.
  std::vector<int> take();
  /// Those that were ignored before, as after nohup(1) or in the background of a shell without job control.
  const std::vector<int>& ignored() const { return ignored_; }
  /// Obeys SIGTSTP once, sent to our whole process group or to us alone, and returns after SIGCONT (or at
  /// once, where there is no shell that could continue us).
  static void stop_like_others(bool whole_group);

private:
  SignalQueue() = default;
  FileDescriptor reader_, writer_;
  std::vector<std::pair<int, struct sigaction>> before_;
  std::vector<int> ignored_;
};

} // namespace ukl
