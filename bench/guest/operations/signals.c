// SPDX-License-Identifier: GPL-2.0-only
// Signal delivery: kill(2) to ourselves, the handler, and the way back through rt_sigreturn(2).
#define _GNU_SOURCE
#include "operations.h"

#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t received;

static void handler(int number) {
  (void)number;
  received = 1;
}

int install_handler(struct state* state) {
  (void)state;
  struct sigaction action = {.sa_handler = handler};
  return sigaction(SIGUSR1, &action, NULL);
}

long signal_self(struct state* state) {
  const pid_t self = getpid();
  for (long i = 0; i < state->count; ++i) {
    received = 0;
    if (kill(self, SIGUSR1) != 0 || !received)
      return 0;
  }
  return state->count;
}
