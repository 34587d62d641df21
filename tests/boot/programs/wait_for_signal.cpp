// SPDX-License-Identifier: GPL-2.0-only
// Prints READY, waits for a signal, names it, and exits with 40 + its number. With an argument it leaves the
// signals alone, so that the first one kills it.
#include <csignal>
#include <cstdio>
#include <initializer_list>
#include <unistd.h>

static volatile sig_atomic_t got;

int main(int argc, char**) {
  sigset_t all, none;
  sigfillset(&all);
  sigemptyset(&none);
  if (argc == 1) {
    sigprocmask(SIG_BLOCK, &all, nullptr);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1})
      std::signal(signal, [](int number) { got = number; });
  }
  puts("READY");
  fflush(stdout);
  while (got == 0)
    sigsuspend(&none);
  printf("got signal %d\n", static_cast<int>(got));
  fflush(stdout);
  return 40 + got;
}
