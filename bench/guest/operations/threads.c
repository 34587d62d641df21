// SPDX-License-Identifier: GPL-2.0-only
// Operations with threads and futexes.
#define _GNU_SOURCE
#include "operations.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

static void* nothing(void* argument) {
  return argument;
}

long create_join(struct state* state) {
  for (long i = 0; i < state->count; ++i) {
    pthread_t thread;
    if ((errno = pthread_create(&thread, NULL, nothing, NULL)) != 0)
      return 0;
    if ((errno = pthread_join(thread, NULL)) != 0)
      return 0;
  }
  return state->count;
}

// The C library has no function futex(), so the number stands here.
static long futex(uint32_t* word, int operation, uint32_t value) {
  long result;
  register long timeout __asm__("r10") = 0;
  __asm__ volatile("mov $202, %%eax\n\tsyscall"
                   : "=a"(result)
                   : "D"(word), "S"((long)(operation | FUTEX_PRIVATE_FLAG)), "d"((long)value), "r"(timeout)
                   : "rcx", "r11", "memory");
  return result;
}

long wake_nobody(struct state* state) {
  static uint32_t word;
  for (long i = 0; i < state->count; ++i)
    if (futex(&word, FUTEX_WAKE, 1) != 0)
      return 0;
  return state->count;
}

// Whose turn it is: 0 ours, 1 the partner's, 2 the partner shall end. Passing the turn on wakes the other
// thread, and waiting for it sleeps; one operation is there and back.
static uint32_t turn;

static void pass_turn(uint32_t next) {
  __atomic_store_n(&turn, next, __ATOMIC_SEQ_CST);
  futex(&turn, FUTEX_WAKE, 1);
}

static void await_change(uint32_t from) {
  while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) == from)
    futex(&turn, FUTEX_WAIT, from);
}

static void* partner(void* unused) {
  while (1) {
    await_change(0);
    if (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) == 2)
      return unused;
    pass_turn(0);
  }
}

int start_partner(struct state* state) {
  turn = 0;
  pthread_t thread;
  if ((errno = pthread_create(&thread, NULL, partner, NULL)) != 0)
    return -1;
  state->thread = thread;
  return 0;
}

long futex_round_trip(struct state* state) {
  for (long i = 0; i < state->count; ++i) {
    pass_turn(1);
    await_change(1);
  }
  return state->count;
}

void stop_partner(struct state* state) {
  pass_turn(2);
  pthread_join(state->thread, NULL);
}
