// SPDX-License-Identifier: GPL-2.0-only
// The guest of `bench/run operations`: the program of an image, or PID 1 of a machine without ukl's init,
// which then does what is needed of that. It performs each operation many times and prints, per operation,
// what one cost: in ticks of the TSC with the argument `instructions` (under QEMU's `-icount shift=0` the TSC
// advances by one per executed instruction, which `self_check` shows), in nanoseconds of CLOCK_MONOTONIC with
// the argument `wall`. Nothing is subtracted: the loop and the C library's part are in the figures, as they
// are in a real program.
//
//     begin CLOCKSOURCE
//     result NAME operations=N batches=B min=X median=X mean=X max=X      (per operation)
//     failed NAME MESSAGE
//     end
#define _GNU_SOURCE
#include "../marks.h"
#include "operations.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { INSTRUCTION_BATCHES = 15, WALL_BATCHES = 40, SHORTEST_BATCH_NS = 1000000 };

static int counts_instructions;
const char* own_path;

static double now(void) {
  if (counts_instructions)
    return (double)__builtin_ia32_rdtsc();
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return 1e9 * (double)time.tv_sec + (double)time.tv_nsec;
}

static int by_value(const void* left, const void* right) {
  const double a = *(const double*)left, b = *(const double*)right;
  return (a > b) - (a < b);
}

// One batch: its time or instructions per operation, or -1.
static double run_batch(const struct operation* operation, struct state* state) {
  if (operation->before && operation->before(state) != 0)
    return -1;
  UKL_BENCH_MARK(UKL_BENCH_MARK_BEGIN);
  const double begin = now();
  const long done = operation->perform(state);
  const double elapsed = now() - begin;
  UKL_BENCH_MARK(UKL_BENCH_MARK_END);
  if (operation->after)
    operation->after(state);
  return done > 0 ? elapsed / (double)done : -1;
}

// The batches that warm up. When time is measured they also grow until one takes long enough for the clock,
// but not so long that on a busy host none of them would run undisturbed.
static double warm_up(const struct operation* operation, struct state* state) {
  double cost = run_batch(operation, state);
  while (!counts_instructions && cost >= 0 && cost * (double)state->count < SHORTEST_BATCH_NS) {
    state->count *= 2;
    cost = run_batch(operation, state);
  }
  return cost;
}

// One operation. The median leaves out the few batches that a timer tick fell into; the mean has them in.
static void measure(const struct operation* operation) {
  const int batches = counts_instructions ? INSTRUCTION_BATCHES : WALL_BATCHES;
  double cost[INSTRUCTION_BATCHES + WALL_BATCHES], sum = 0;
  struct state state = {.count = operation->batch};
  if (operation->prepare && operation->prepare(&state) != 0) {
    printf("failed %s prepare: %s\n", operation->name, strerror(errno));
    return;
  }
  int good = warm_up(operation, &state) >= 0;
  for (int batch = 0; batch < batches && good; ++batch) {
    cost[batch] = run_batch(operation, &state);
    good = cost[batch] >= 0;
    sum += cost[batch];
  }
  if (!good) {
    printf("failed %s perform: %s\n", operation->name, strerror(errno));
    return;
  }
  if (operation->finish)
    operation->finish(&state);
  qsort(cost, (size_t)batches, sizeof cost[0], by_value);
  printf("result %s operations=%ld batches=%d min=%.3f median=%.3f mean=%.3f max=%.3f\n", operation->name,
         state.count, batches, cost[0], cost[batches / 2], sum / batches, cost[batches - 1]);
}

// What the kernel tells programs the time by; the vDSO can read only some of them.
static void print_clocksource(void) {
  char name[64] = "unknown\n";
  FILE* file = fopen("/sys/devices/system/clocksource/clocksource0/current_clocksource", "r");
  if (file) {
    if (!fgets(name, sizeof name, file))
      strcpy(name, "unknown\n");
    fclose(file);
  }
  printf("begin %s", name);
}

static void start_loopback(void) {
  struct ifreq request = {.ifr_name = "lo"};
  const int fd = socket(AF_INET, SOCK_DGRAM, 0);
  if (fd < 0)
    return;
  if (ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
    request.ifr_flags |= IFF_UP | IFF_RUNNING;
    ioctl(fd, SIOCSIFFLAGS, &request);
  }
  close(fd);
}

// The words after `instructions` or `wall` are names of operations; none: all.
static int is_wanted(const char* name, int argc, char** argv) {
  int wanted = 1;
  for (int i = 1; i < argc; ++i) {
    if (strcmp(argv[i], name) == 0)
      return 1;
    if (i > 1 && (strcmp(argv[i - 1], "instructions") == 0 || strcmp(argv[i - 1], "wall") == 0))
      wanted = 0;
  }
  return wanted;
}

static void be_init(void) {
  mkdir("/dev", 0755);
  mkdir("/sys", 0755);
  mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
  mount("sysfs", "/sys", "sysfs", 0, NULL);
  const int console = open("/dev/console", O_RDWR);
  if (console >= 0) {
    dup2(console, 0);
    dup2(console, 1);
    dup2(console, 2);
    if (console > 2)
      close(console);
  }
  start_loopback();
}

// PID 1 gets the words after `--` of the kernel's command line, and before them those that the kernel does
// not know.
int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "exit") == 0)
    return 0; // the program that the exec operation starts
  own_path = argv[0];
  if (getpid() == 1)
    be_init();
  setvbuf(stdout, NULL, _IOLBF, 0);
  for (int i = 1; i < argc; ++i)
    counts_instructions |= strcmp(argv[i], "instructions") == 0;
  print_clocksource();
  for (const struct operation* operation = operations; operation->name; ++operation)
    if (is_wanted(operation->name, argc, argv))
      measure(operation);
  printf("end\n");
  fflush(stdout);
  if (getpid() == 1)
    reboot(RB_AUTOBOOT);
  return 0;
}
