// SPDX-License-Identifier: GPL-2.0-only
// When a guest's clock has to be compared with this machine's.
#pragma once

#include "support/files.hpp"

namespace ukl {

/// Becomes readable when this machine's clock has been set or comes back from sleep (timerfd_create(2),
/// TFD_TIMER_CANCEL_ON_SET), and once a minute: a guest's clock drifts, and not every pause is noticed.
class ClockWatch {
public:
  /// Error: what timerfd_create(2) says.
  static Result<ClockWatch> create();
  int descriptor() const { return timer_.get(); }
  /// Makes it unreadable until the next time.
  void rearm();

private:
  FileDescriptor timer_;
};

/// The clock, in nanoseconds since 1970, as the line `time` of the control port has it.
std::string clock_line();

} // namespace ukl
