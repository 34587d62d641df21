// SPDX-License-Identifier: GPL-2.0-only
// What the operations of the benchmark's guest program share.
#ifndef UKL_BENCH_OPERATIONS_H
#define UKL_BENCH_OPERATIONS_H

#include <stddef.h>

// What an operation keeps between its steps.
struct state {
  long count;           // operations per batch
  int fd[4];            // files, pipes, sockets
  int child;            // process that takes part
  unsigned long thread; // pthread_t that takes part
  char* memory;         // mapping
  size_t size;          // its bytes
};

// `prepare` and `finish` once, `before` and `after` around each batch, outside its time; each may be absent.
// `perform` is what is timed: it returns how many operations it did, 0 if it failed (with errno). The others
// return 0 or -1.
struct operation {
  const char* name;
  long batch; // operations per batch when instructions are counted: well below a timer tick
  int (*prepare)(struct state*);
  int (*before)(struct state*);
  long (*perform)(struct state*);
  void (*after)(struct state*);
  void (*finish)(struct state*);
};

// Where this program lies, to start it again.
extern const char* own_path;

// All operations; the last one has no name.
extern const struct operation operations[];

// calls.c
long self_check(struct state*);
long empty_loop(struct state*);
long call_getppid(struct state*);
long clock_by_vdso(struct state*);
long clock_by_call(struct state*);
int open_zero(struct state*);
long read_1(struct state*);
long read_8k(struct state*);
long write_1(struct state*);
long write_8k(struct state*);
void close_all(struct state*);

// channels.c
int make_pipe(struct state*);
int make_unix_pair(struct state*);
int make_tcp_pair(struct state*);
int make_epoll(struct state*);
long write_read(struct state*);
long send_receive(struct state*);
long poll_ready(struct state*);

// memory.c
long map_touch_unmap(struct state*);
int map_fresh(struct state*);
long touch_fresh(struct state*);
void unmap_fresh(struct state*);

// processes.c
long fork_wait(struct state*);
long fork_exec_wait(struct state*);
int start_yielder(struct state*);
long yield_together(struct state*);
void stop_yielder(struct state*);
int start_echo(struct state*);
long pipe_round_trip(struct state*);
void stop_echo(struct state*);

// threads.c
long create_join(struct state*);
long wake_nobody(struct state*);
int start_partner(struct state*);
long futex_round_trip(struct state*);
void stop_partner(struct state*);

// signals.c
int install_handler(struct state*);
long signal_self(struct state*);

#endif
