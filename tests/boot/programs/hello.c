// SPDX-License-Identifier: GPL-2.0-only
// The first program of all, in C.
#include <stdio.h>

int main(void) {
  puts("Hello from C");
  return 0;
}
