// SPDX-License-Identifier: GPL-2.0-only
// System calls as jumps, under fire: twice as many threads as CPUs make tiny calls without pause, checking
// each result and every register that a call must keep, while timers and signals hit every instruction of the
// path and the threads are driven from CPU to CPU. Argument: millions of calls in all.
#include "check.hpp"

#include <atomic>
#include <csignal>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <thread>
#include <vector>

namespace {

std::atomic<long> calls_left, signals;

void on_signal(int) {
  signals.fetch_add(1, std::memory_order_relaxed);
}

/// Makes the call `number` (known to the rewriter here as a constant of the template) `count` times with a
/// pattern in all registers that it must keep. Returns 0, or the bit of what was wrong: 1 the result, 2 a
/// register.
template <int number> [[gnu::noinline, gnu::noclone]] int torture(long count, long expected) {
  int bad = 0;
  asm volatile("pushq %%rbp\n\t"
               "pushq %[expected]\n\t"
               "pushq %[count]\n\t"
               "movq $0x1111, %%rdi\n\tmovq $0x2222, %%rsi\n\tmovq $0x3333, %%rdx\n\tmovq $0x4444, %%r10\n\t"
               "movq $0x5555, %%r8\n\tmovq $0x6666, %%r9\n\tmovq $0x7777, %%r12\n\tmovq $0x8888, %%r13\n\t"
               "movq $0x9999, %%r14\n\tmovq $0xaaaa, %%r15\n\tmovq $0xbbbb, %%rbp\n\tmovq $0xcccc, %%rbx\n"
               "1:\n\t"
               "movl %[number], %%eax\n\t"
               "syscall\n\t"
               "cmpq 8(%%rsp), %%rax\n\tjne 3f\n\t"
               "cmpq $0x1111, %%rdi\n\tjne 4f\n\tcmpq $0x2222, %%rsi\n\tjne 4f\n\t"
               "cmpq $0x3333, %%rdx\n\tjne 4f\n\tcmpq $0x4444, %%r10\n\tjne 4f\n\t"
               "cmpq $0x5555, %%r8\n\tjne 4f\n\tcmpq $0x6666, %%r9\n\tjne 4f\n\t"
               "cmpq $0x7777, %%r12\n\tjne 4f\n\tcmpq $0x8888, %%r13\n\tjne 4f\n\t"
               "cmpq $0x9999, %%r14\n\tjne 4f\n\tcmpq $0xaaaa, %%r15\n\tjne 4f\n\t"
               "cmpq $0xbbbb, %%rbp\n\tjne 4f\n\tcmpq $0xcccc, %%rbx\n\tjne 4f\n\t"
               "decq (%%rsp)\n\tjnz 1b\n\t"
               "xorl %%eax, %%eax\n\tjmp 5f\n"
               "3:\tmovl $1, %%eax\n\tjmp 5f\n"
               "4:\tmovl $2, %%eax\n"
               "5:\taddq $16, %%rsp\n\t"
               "popq %%rbp\n\t"
               : "=a"(bad)
               : [number] "i"(number), [count] "D"(count), [expected] "S"(expected)
               : "rbx", "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
  return bad;
}

void work() {
  const long thread_id = syscall(SYS_gettid);
  const long process_id = getpid();
  constexpr long kBatch = 20000;
  while (calls_left.fetch_sub(3 * kBatch) > 0) {
    REQUIRE(torture<SYS_gettid>(kBatch, thread_id) == 0);
    REQUIRE(torture<SYS_getpid>(kBatch, process_id) == 0);
    // Goes by way of a C function of the kernel: getpgid(0x1111), which does not exist.
    REQUIRE(torture<SYS_getpgid>(kBatch, -ESRCH) == 0);
  }
}

} // namespace

int main(int argc, char** argv) {
  const long millions = argc > 1 ? atol(argv[1]) : 20;
  calls_left = millions * 1000000;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  REQUIRE_OK(sigaction(SIGUSR1, &action, nullptr));
  REQUIRE_OK(sigaction(SIGALRM, &action, nullptr));
  const itimerval interval = {{0, 500}, {0, 500}};
  REQUIRE_OK(setitimer(ITIMER_REAL, &interval, nullptr));

  const int cpus = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  std::vector<std::thread> threads;
  for (int i = 0; i < 2 * cpus; ++i)
    threads.emplace_back(work);
  long migrations = 0;
  for (unsigned step = 0; calls_left > 0; ++step) {
    const auto handle = threads[step % threads.size()].native_handle();
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(static_cast<int>(step / 3) % cpus, &set);
    if (pthread_setaffinity_np(handle, sizeof set, &set) == 0)
      ++migrations;
    pthread_kill(handle, SIGUSR1);
    check::sleep_ms(1);
  }
  for (auto& thread : threads)
    thread.join();
  REQUIRE(signals > 0);
  printf("%ld million calls, %ld signals, %ld migrations on %d CPUs\n", millions, signals.load(), migrations,
         cpus);
}
