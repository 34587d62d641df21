// SPDX-License-Identifier: GPL-2.0-only
// `daemon`: puts itself into the background and works there. `child`: leaves a child that holds its streams.
// `left`: leaves a child that works, without a session of its own.
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int count, char** arguments) {
  if (count < 2)
    return 1;
  if (strcmp(arguments[1], "daemon") == 0) {
    if (daemon(0, 1) != 0)
      return 1;
    sleep(2);
    puts("the daemon has done its work");
    return 0;
  }
  if (strcmp(arguments[1], "left") == 0 && fork() == 0) {
    sleep(2);
    puts("what was left has done its work");
    return 0;
  }
  if (strcmp(arguments[1], "child") == 0 && fork() == 0)
    sleep(1000);
  return 0;
}
