// SPDX-License-Identifier: GPL-2.0-only
// Names each signal that it gets.
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void on_signal(int number) {
  char text[64];
  const char* name = sigabbrev_np(number);
  const int length = name ? snprintf(text, sizeof text, "signal %s\n", name)
                          : snprintf(text, sizeof text, "signal %d\n", number);
  if (write(1, text, (size_t)length) < 0)
    _exit(1);
}

int main(void) {
  for (int number = 1; number <= 64; ++number)
    signal(number, on_signal);
  if (write(1, "READY\n", 6) < 0)
    return 1;
  while (1)
    pause();
}
