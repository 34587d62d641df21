// SPDX-License-Identifier: GPL-2.0-only
#include "machine/clock_watch.hpp"

#include <cerrno>
#include <ctime>
#include <fmt/format.h>
#include <sys/timerfd.h>
#include <unistd.h>

namespace ukl {
namespace {

constexpr time_t kEvery = 60; // seconds

} // namespace

Result<ClockWatch> ClockWatch::create() {
  ClockWatch watch;
  watch.timer_ = FileDescriptor(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!watch.timer_)
    return file_error("timer", "create", errno);
  watch.rearm();
  return watch;
}

void ClockWatch::rearm() {
  std::uint64_t expirations = 0;
  [[maybe_unused]] const ssize_t ignored = read(timer_.get(), &expirations, sizeof expirations);
  itimerspec next = {};
  clock_gettime(CLOCK_REALTIME, &next.it_value);
  next.it_value.tv_sec += kEvery;
  timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &next, nullptr);
}

std::string clock_line() {
  timespec now = {};
  clock_gettime(CLOCK_REALTIME, &now);
  return fmt::format("time {}", now.tv_sec * 1'000'000'000LL + now.tv_nsec);
}

} // namespace ukl
