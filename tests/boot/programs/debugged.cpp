// SPDX-License-Identifier: GPL-2.0-only
// A program to be debugged: a loop with a function to break in, and a thread beside it.
#include <cstdio>
#include <thread>
#include <unistd.h>

extern "C" [[gnu::noinline]] int step_function(int count, const char* name) {
  const int doubled = count * 2;
  printf("step %d %s %d\n", count, name, doubled);
  fflush(stdout);
  return doubled;
}

int main() {
  std::thread([] { usleep(1000); }).join();
  int total = 0;
  for (int i = 1; i <= 5; ++i)
    total += step_function(i, "debugged");
  printf("total %d\n", total);
  return total == 30 ? 0 : 1;
}
