// SPDX-License-Identifier: GPL-2.0-only
// Signals that are passed on instead of being obeyed.
#pragma once

#include "support/files.hpp"

#include <csignal>
#include <utility>
#include <vector>

namespace ukl {

/// While it lives, SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1 and SIGUSR2 queue up here, and SIGPIPE and
/// SIGTTIN are ignored. One at a time. By handlers and not by blocking them, because a child would inherit
/// what is blocked.
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

private:
  SignalQueue() = default;
  FileDescriptor reader_, writer_;
  std::vector<std::pair<int, struct sigaction>> before_;
};

} // namespace ukl
