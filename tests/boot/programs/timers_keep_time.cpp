// SPDX-License-Identifier: GPL-2.0-only
// Answers each line of its input with its monotonic clock in nanoseconds, and first says of every CPU how
// late the most punctual of some sleeps was: `cpu 0 late 0.1 ms`. With nothing but Linux's ticks (every 4 ms)
// for a clock, no sleep of 5 ms ends before 8.
#include "check.hpp"

#include <algorithm>
#include <sched.h>

int main() {
  constexpr int sleeps = 20;
  constexpr double wanted = 0.005;
  const long processors = sysconf(_SC_NPROCESSORS_ONLN);
  for (int cpu = 0; cpu < processors; ++cpu) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(cpu, &set);
    REQUIRE_OK(sched_setaffinity(0, sizeof set, &set));
    double late = 1;
    for (int sleep = 0; sleep < sleeps; ++sleep) {
      const double start = check::now();
      check::sleep_ms(static_cast<long>(wanted * 1000));
      const double took = check::now() - start;
      REQUIRE(took >= wanted);
      late = std::min(late, took - wanted);
    }
    printf("cpu %d late %.3f ms\n", cpu, late * 1000);
    REQUIRE(late < 0.0025);
  }
  fflush(stdout);
  for (char line[64]; fgets(line, sizeof line, stdin);) {
    timespec time{};
    clock_gettime(CLOCK_MONOTONIC, &time);
    printf("%lld\n", time.tv_sec * 1'000'000'000LL + time.tv_nsec);
    fflush(stdout);
  }
}
