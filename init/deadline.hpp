// SPDX-License-Identifier: GPL-2.0-only
// Waiting for a descriptor, but not for ever. Header-only.
#pragma once

#include <cerrno>
#include <cstdint>
#include <ctime>
#include <poll.h>

namespace ukl::init {

/// Milliseconds of the clock that nobody sets.
inline std::int64_t monotonic_milliseconds() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

class Deadline {
public:
  explicit Deadline(int milliseconds) : end_(monotonic_milliseconds() + milliseconds) {}

  /// True if the descriptor is ready in time; else errno says why not: ETIMEDOUT, or poll's own.
  bool wait(int descriptor, short events) const {
    while (true) {
      const auto left = end_ - monotonic_milliseconds();
      pollfd event = {descriptor, events, 0};
      const int ready = left > 0 ? poll(&event, 1, static_cast<int>(left)) : 0;
      if (ready > 0)
        return true;
      if (ready == 0)
        errno = ETIMEDOUT;
      if (ready == 0 || errno != EINTR)
        return false;
    }
  }

private:
  std::int64_t end_;
};

} // namespace ukl::init
