// SPDX-License-Identifier: GPL-2.0-only
// Writes as many bytes as its argument says.
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int count, char** arguments) {
  static char block[65536];
  memset(block, 'x', sizeof block);
  long left = count > 1 ? atol(arguments[1]) : 0;
  while (left > 0) {
    const ssize_t put = write(1, block, left < (long)sizeof block ? (size_t)left : sizeof block);
    if (put < 0)
      return 1;
    left -= put;
  }
  return 0;
}
