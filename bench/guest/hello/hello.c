// SPDX-License-Identifier: GPL-2.0-only
// Says hello; with an argument, how far the time-stamp counter is, which counts instructions where QEMU's -icount does.
#include <stdio.h>
#include <x86intrin.h>

int main(int count, char** arguments) {
  const unsigned long long ticks = __rdtsc();
  (void)arguments;
  if (count > 1)
    printf("hello %llu\n", ticks);
  else
    puts("hello");
  return 0;
}
