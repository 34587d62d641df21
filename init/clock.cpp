// SPDX-License-Identifier: GPL-2.0-only
#include "clock.hpp"

#include "control.hpp"
#include "settings.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <ctime>
#include <fcntl.h>
#include <string>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr Nanoseconds kMillisecond = 1'000'000, kSecond = 1'000'000'000;

// An exchange that took longer than this is tried again at the start, in the hope for a better one.
constexpr Nanoseconds kGoodExchange = 10 * kMillisecond;
constexpr int kExchanges = 4;
constexpr int kPatience = 500; // milliseconds for one answer at the start

// Without `ukl run`, nobody tells that there was a pause.
constexpr int kCheckUnderKvm = 60'000; // milliseconds

int host_clock = -1;      // Linux's clock of the host under KVM
int set_by_others = -1;   // a timer that Linux cancels when somebody sets the clock
bool follows = true;      // no: the program keeps the clock itself
Nanoseconds asked_at = 0; // monotonic; 0: no question is open

Nanoseconds read_clock(clockid_t clock) {
  timespec time = {};
  clock_gettime(clock, &time);
  return time.tv_sec * kSecond + time.tv_nsec;
}

// The clock of an open /dev/ptpN (clock_getres(2), "dynamic clocks").
clockid_t clock_of(int fd) {
  return static_cast<clockid_t>((~static_cast<unsigned>(fd) << 3) | 3U);
}

void open_host_clock() {
  for (const char number : {'0', '1'}) {
    const std::string name = read_whole((std::string("/sys/class/ptp/ptp") + number + "/clock_name").c_str());
    if (name.compare(0, 3, "KVM") == 0)
      host_clock = open((std::string("/dev/ptp") + number).c_str(), O_RDONLY | O_CLOEXEC);
    timespec time;
    if (host_clock >= 0 && clock_gettime(clock_of(host_clock), &time) != 0) {
      close(host_clock);
      host_clock = -1;
    }
    if (host_clock >= 0)
      return;
  }
}

// A timer far away that only serves to be cancelled.
void watch_clock() {
  if (set_by_others < 0)
    set_by_others = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  itimerspec far = {};
  far.it_value.tv_sec = INT32_MAX;
  timerfd_settime(set_by_others, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &far, nullptr);
}

// A program that sets the clock, or steers it as ntpd(8) does, is not disturbed from then on.
bool program_keeps_clock() {
  std::uint64_t expirations;
  if (read(set_by_others, &expirations, sizeof expirations) < 0 && errno == ECANCELED)
    return true;
  timex state = {};
  adjtimex(&state);
  return state.freq != 0 || (state.status & (STA_PLL | STA_FLL)) != 0;
}

void step_clock(Nanoseconds error) {
  const Nanoseconds right = read_clock(CLOCK_REALTIME) + error;
  const timespec time = {right / kSecond, right % kSecond};
  clock_settime(CLOCK_REALTIME, &time);
  // That was us.
  watch_clock();
}

void correct(Nanoseconds host, Nanoseconds asked, Nanoseconds answered, bool at_start) {
  if (!at_start && program_keeps_clock())
    follows = false;
  if (!follows)
    return;
  const Nanoseconds error =
      clock_error(host, asked, answered, read_clock(CLOCK_MONOTONIC), read_clock(CLOCK_REALTIME));
  switch (correction_for(error, (answered - asked) / 2, at_start)) {
  case Correction::none:
    break;
  case Correction::gradual: {
    const timeval change = {error / kSecond, error % kSecond / 1000};
    adjtime(&change, nullptr);
    break;
  }
  case Correction::step:
    step_clock(error);
    break;
  }
}

bool correct_by_kvm(bool at_start) {
  if (host_clock < 0)
    return false;
  timespec time = {};
  const Nanoseconds asked = read_clock(CLOCK_MONOTONIC);
  if (clock_gettime(clock_of(host_clock), &time) != 0)
    return false;
  correct(time.tv_sec * kSecond + time.tv_nsec, asked, read_clock(CLOCK_MONOTONIC), at_start);
  return true;
}

} // namespace

Nanoseconds clock_error(Nanoseconds host, Nanoseconds asked, Nanoseconds answered, Nanoseconds monotonic,
                        Nanoseconds clock) {
  // The most likely moment is the middle. Since then, both clocks have gone on alike.
  const Nanoseconds middle = asked + (answered - asked) / 2;
  return host + (monotonic - middle) - clock;
}

Correction correction_for(Nanoseconds error, Nanoseconds uncertainty, bool at_start) {
  const Nanoseconds size = std::abs(error);
  // At the start nobody has seen the clock yet.
  if (at_start)
    return Correction::step;
  if (size <= std::max(uncertainty, 2 * kMillisecond))
    return Correction::none;
  return size <= 20 * kMillisecond ? Correction::gradual : Correction::step;
}

void set_clock() {
  open_host_clock();
  watch_clock();
  if (correct_by_kvm(true) || control_descriptor() < 0)
    return;
  Nanoseconds least = INT64_MAX;
  for (int exchange = 0; exchange < kExchanges && least > kGoodExchange; ++exchange) {
    const Nanoseconds asked = read_clock(CLOCK_MONOTONIC);
    report("time");
    const Nanoseconds host = strtoll(wait_for_message("time", kPatience).c_str(), nullptr, 10);
    const Nanoseconds answered = read_clock(CLOCK_MONOTONIC);
    if (host == 0)
      return;
    if (answered - asked < least) {
      least = answered - asked;
      correct(host, asked, answered, true);
    }
  }
}

void check_clock() {
  if (!follows || correct_by_kvm(false))
    return;
  const Nanoseconds now = read_clock(CLOCK_MONOTONIC);
  // An answer is on its way; a second one would be taken for the first.
  if (asked_at != 0 && now - asked_at < kSecond)
    return;
  asked_at = now;
  report("time");
}

void on_host_time(Nanoseconds host) {
  if (asked_at != 0)
    correct(host, asked_at, read_clock(CLOCK_MONOTONIC), false);
  asked_at = 0;
}

int until_clock_check() {
  return host_clock >= 0 && follows ? kCheckUnderKvm : -1;
}

} // namespace ukl::init
