// SPDX-License-Identifier: GPL-2.0-only
#include "last_bytes.hpp"

#include "ending.hpp"
#include "fields.hpp"
#include "settings.hpp"

#include <algorithm>
#include <cstdio>
#include <string>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr long kNoProgress = 10000000; // microseconds
constexpr long kLongestPause = 20000;

unsigned long undelivered() {
  return undelivered_bytes(read_whole("/proc/net/tcp")) + undelivered_bytes(read_whole("/proc/net/tcp6"));
}

} // namespace

unsigned long undelivered_bytes(std::string_view table) {
  // States of Linux's include/net/tcp_states.h: SYN_SENT, SYN_RECV, TIME_WAIT, CLOSE, LISTEN.
  constexpr unsigned idle[] = {2, 3, 6, 7, 10};
  unsigned long sum = 0;
  for (std::size_t start = 0; start < table.size();) {
    const auto end = std::min(table.find('\n', start), table.size());
    const std::string line(table.substr(start, end - start));
    start = end + 1;
    // "sl local remote state transmit:receive …" (Documentation/networking/proc_net_tcp.rst)
    unsigned state = 0;
    unsigned long waiting = 0;
    if (Fields(line.c_str())
            .word()
            .word()
            .word()
            .number(state, 16)
            .text(" ")
            .number(waiting, 16)
            .text(":")
            .ok() &&
        std::find(std::begin(idle), std::end(idle), state) == std::end(idle))
      sum += waiting;
  }
  return sum;
}

void wait_for_delivery() {
  unsigned long left = undelivered();
  long pause = 1000;
  for (long without_progress = 0; left > 0 && without_progress < kNoProgress;) {
    usleep(static_cast<useconds_t>(pause));
    without_progress += pause;
    pause = std::min(2 * pause, kLongestPause);
    const unsigned long now = undelivered();
    if (now < left)
      without_progress = 0;
    left = now;
  }
  if (left > 0)
    say("the last " + std::to_string(left) + " bytes were not delivered: nobody took any for 10 s");
}

} // namespace ukl::init
