// SPDX-License-Identifier: GPL-2.0-only
// Spends most of its time in one function, some in another, and some in the kernel. Prints READY, and goes on
// for as many seconds as its argument says.
#include "check.hpp"

#include <climits>
#include <ctime>
#include <fcntl.h>

namespace {
double now() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

volatile unsigned sum;
char pages[1 << 20];
} // namespace

// Names that a test looks for; not inlined, and no tail calls.
__attribute__((noinline)) void very_hot_function(unsigned rounds) {
  for (unsigned round = 0; round < rounds; ++round)
    sum = sum * 1664525 + 1013904223;
}
__attribute__((noinline)) void calls_the_hot_one(unsigned rounds) {
  very_hot_function(rounds);
  sum = sum + 1;
}
__attribute__((noinline)) void warm_function(unsigned rounds) {
  for (unsigned round = 0; round < rounds; ++round)
    sum = sum ^ round;
}
__attribute__((noinline)) void asks_the_kernel(int zero) {
  if (read(zero, pages, sizeof pages) < 0)
    _exit(1);
  sum = sum + 1;
}

int main(int count, char** arguments) {
  const double end = now() + (count > 1 ? atof(arguments[1]) : 10);
  const long rounds = count > 2 ? atol(arguments[2]) : LONG_MAX;
  const int zero = open("/dev/zero", O_RDONLY);
  puts("READY");
  fflush(stdout);
  for (long round = 0; round < rounds && now() < end; ++round) {
    calls_the_hot_one(6'000'000);
    warm_function(1'000'000);
    for (int times = 0; times < 40; ++times)
      asks_the_kernel(zero);
  }
  return 0;
}
