// SPDX-License-Identifier: GPL-2.0-only
// Operations with a second process.
#define _GNU_SOURCE
#include "operations.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static int ended_well(pid_t child) {
  int status;
  return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

long fork_wait(struct state* state) {
  for (long i = 0; i < state->count; ++i) {
    const pid_t child = fork();
    if (child == 0)
      _exit(0);
    if (!ended_well(child))
      return 0;
  }
  return state->count;
}

// The new program is this one, which ends at once.
long fork_exec_wait(struct state* state) {
  char* const arguments[] = {(char*)own_path, "exit", NULL};
  static char* const environment[] = {NULL};
  for (long i = 0; i < state->count; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      execve(arguments[0], arguments, environment);
      _exit(1);
    }
    if (!ended_well(child))
      return 0;
  }
  return state->count;
}

static void stop_child(struct state* state) {
  kill(state->child, SIGKILL);
  waitpid(state->child, NULL, 0);
}

// On one CPU, two processes that do nothing but yield: each yield is a switch to the other one. The child
// counts its own in shared memory, since the scheduler need not alternate strictly.
int start_yielder(struct state* state) {
  state->memory = mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (state->memory == MAP_FAILED)
    return -1;
  state->child = fork();
  if (state->child == 0)
    for (volatile long* yields = (volatile long*)(void*)state->memory;; ++*yields)
      sched_yield();
  return state->child < 0 ? -1 : 0;
}

long yield_together(struct state* state) {
  volatile long* childs = (volatile long*)(void*)state->memory;
  const long before = *childs;
  for (long i = 0; i < state->count; ++i)
    sched_yield();
  return state->count + (*childs - before);
}

void stop_yielder(struct state* state) {
  stop_child(state);
  munmap(state->memory, sizeof(long));
}

// A child that sends back each byte that it gets: one operation is there and back, two switches.
int start_echo(struct state* state) {
  if (pipe(state->fd) != 0 || pipe(state->fd + 2) != 0)
    return -1;
  state->child = fork();
  if (state->child == 0) {
    char byte;
    while (read(state->fd[0], &byte, 1) == 1 && write(state->fd[3], &byte, 1) == 1)
      continue;
    _exit(1);
  }
  return state->child < 0 ? -1 : 0;
}

long pipe_round_trip(struct state* state) {
  char byte = 'x';
  for (long i = 0; i < state->count; ++i)
    if (write(state->fd[1], &byte, 1) != 1 || read(state->fd[2], &byte, 1) != 1)
      return 0;
  return state->count;
}

void stop_echo(struct state* state) {
  stop_child(state);
  close_all(state);
}
