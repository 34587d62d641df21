// SPDX-License-Identifier: GPL-2.0-only
// Operations that are one system call each, and the two loops that show what the harness itself costs.
#define _GNU_SOURCE
#include "operations.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

static char buffer[8192];

// A loop of known length: 100 instructions a round, 98 of them in the block, and dec and jnz. The harness's
// own part around it is what the figure has above 100.
long self_check(struct state* state) {
  long rounds = state->count;
  __asm__ volatile("1:\n\t.rept 98\n\tnop\n\t.endr\n\tdec %0\n\tjnz 1b" : "+r"(rounds)::"cc");
  return state->count;
}

long empty_loop(struct state* state) {
  for (long i = 0; i < state->count; ++i)
    __asm__ volatile("");
  return state->count;
}

long call_getppid(struct state* state) {
  for (long i = 0; i < state->count; ++i)
    getppid();
  return state->count;
}

long clock_by_vdso(struct state* state) {
  struct timespec time;
  for (long i = 0; i < state->count; ++i)
    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
      return 0;
  return state->count;
}

// The same past the vDSO. The number stands in the instruction before the call, as in the C library's own
// wrappers.
static long clock_gettime_call(clockid_t clock, struct timespec* time) {
  long result;
  __asm__ volatile("mov $228, %%eax\n\tsyscall"
                   : "=a"(result)
                   : "D"((long)clock), "S"(time)
                   : "rcx", "r11", "memory");
  return result;
}

long clock_by_call(struct state* state) {
  struct timespec time;
  for (long i = 0; i < state->count; ++i)
    if (clock_gettime_call(CLOCK_MONOTONIC, &time) != 0)
      return 0;
  return state->count;
}

int open_zero(struct state* state) {
  state->fd[0] = open("/dev/zero", O_RDWR);
  state->fd[1] = state->fd[2] = state->fd[3] = -1;
  return state->fd[0] < 0 ? -1 : 0;
}

static long read_bytes(struct state* state, size_t size) {
  for (long i = 0; i < state->count; ++i)
    if (read(state->fd[0], buffer, size) != (ssize_t)size)
      return 0;
  return state->count;
}

static long write_bytes(struct state* state, size_t size) {
  for (long i = 0; i < state->count; ++i)
    if (write(state->fd[0], buffer, size) != (ssize_t)size)
      return 0;
  return state->count;
}

long read_1(struct state* state) {
  return read_bytes(state, 1);
}
long read_8k(struct state* state) {
  return read_bytes(state, sizeof buffer);
}
long write_1(struct state* state) {
  return write_bytes(state, 1);
}
long write_8k(struct state* state) {
  return write_bytes(state, sizeof buffer);
}

void close_all(struct state* state) {
  for (int i = 0; i < 4; ++i)
    if (state->fd[i] >= 0)
      close(state->fd[i]);
}
