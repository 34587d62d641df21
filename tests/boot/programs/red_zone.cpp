// SPDX-License-Identifier: GPL-2.0-only
// The red zone: the 128 bytes below the stack pointer belong to the function, and nothing may touch them: no
// interrupt, no fault, no signal frame. More threads than CPUs fill and check them without pause, while
// timers fire and signals fly on all CPUs. Argument: seconds (default 5).
#include "check.hpp"

#include <atomic>
#include <csignal>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <thread>
#include <vector>

namespace {

std::atomic<bool> stop;
std::atomic<long> rounds, signals;

/// Fills the red zone with `seed`, spins, and looks again, `count` times, without ever moving RSP. Returns
/// the number of the first changed byte's word, or -1.
[[gnu::noinline, gnu::noclone]] long torture(unsigned long seed, long count) {
  long bad = -1;
  asm volatile("1:\n\t"
               "movq %[seed], %%rax\n\t"
               "movq $-16, %%rcx\n"
               "2:\tmovq %%rax, (%%rsp,%%rcx,8)\n\t" // rsp-128 … rsp-8
               "addq $0x11, %%rax\n\tincq %%rcx\n\tjnz 2b\n\t"
               "movl $300, %%edx\n"
               "3:\tdecl %%edx\n\tjnz 3b\n\t"
               "movq %[seed], %%rax\n\t"
               "movq $-16, %%rcx\n"
               "4:\tcmpq %%rax, (%%rsp,%%rcx,8)\n\tjne 5f\n\t"
               "addq $0x11, %%rax\n\tincq %%rcx\n\tjnz 4b\n\t"
               "incq %[seed]\n\t"
               "decq %[count]\n\tjnz 1b\n\t"
               "jmp 6f\n"
               "5:\tleaq 16(%%rcx), %[bad]\n"
               "6:\n\t"
               : [seed] "+r"(seed), [count] "+r"(count), [bad] "+r"(bad)
               :
               : "rax", "rcx", "rdx", "memory", "cc");
  return bad;
}

/// The same over a page fault: the red zone lies on the stack, the fault comes from data.
[[gnu::noinline, gnu::noclone]] long over_faults(char* page) {
  long bad = 0;
  asm volatile("movq $0x5a5a, -8(%%rsp)\n\tmovq $0x6b6b, -64(%%rsp)\n\tmovq $0x7c7c, -128(%%rsp)\n\t"
               "movb $1, (%[page])\n\t"
               "cmpq $0x5a5a, -8(%%rsp)\n\tjne 1f\n\tcmpq $0x6b6b, -64(%%rsp)\n\tjne 1f\n\t"
               "cmpq $0x7c7c, -128(%%rsp)\n\tje 2f\n"
               "1:\tmovq $1, %[bad]\n"
               "2:\n\t"
               : [bad] "+r"(bad)
               : [page] "r"(page)
               : "memory", "cc");
  return bad;
}

/// And over a system call, which is where a gate that pushed anything would be seen.
[[gnu::noinline, gnu::noclone]] long over_system_calls() {
  long bad = 0;
  asm volatile("movq $0x5a5a, -8(%%rsp)\n\tmovq $0x6b6b, -64(%%rsp)\n\tmovq $0x7c7c, -128(%%rsp)\n\t"
               "movl $24, %%eax\n\tsyscall\n\t" // sched_yield
               "movl $39, %%eax\n\tsyscall\n\t" // getpid
               "cmpq $0x5a5a, -8(%%rsp)\n\tjne 1f\n\tcmpq $0x6b6b, -64(%%rsp)\n\tjne 1f\n\t"
               "cmpq $0x7c7c, -128(%%rsp)\n\tje 2f\n"
               "1:\tmovq $1, %[bad]\n"
               "2:\n\t"
               : [bad] "+r"(bad)
               :
               : "rax", "rcx", "r11", "memory", "cc");
  return bad;
}

void worker(unsigned long number) {
  auto* pages = static_cast<char*>(
      mmap(nullptr, 64 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  while (!stop) {
    const long bad = torture(number * 0x0101010101010101ul, 200);
    if (bad >= 0)
      check::fail(__FILE__, __LINE__, "thread %lu: word %ld of the red zone changed", number, bad);
    for (int page = 0; page < 64; ++page)
      if (over_faults(pages + page * 4096))
        check::fail(__FILE__, __LINE__, "red zone changed over a page fault");
    madvise(pages, 64 * 4096, MADV_DONTNEED);
    for (int i = 0; i < 20; ++i)
      if (over_system_calls())
        check::fail(__FILE__, __LINE__, "red zone changed over a system call");
    ++rounds;
  }
  munmap(pages, 64 * 4096);
}

} // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? atof(argv[1]) : 5;
  struct sigaction action {};
  action.sa_flags = SA_RESTART;
  action.sa_handler = [](int) {
    volatile char noise[2000];
    for (volatile char& byte : noise)
      byte = static_cast<char>(0xee);
    ++signals;
  };
  for (const int signal : {SIGALRM, SIGUSR1, SIGRTMIN})
    REQUIRE_OK(sigaction(signal, &action, nullptr));

  const long cpus = sysconf(_SC_NPROCESSORS_ONLN);
  std::vector<std::thread> threads;
  std::vector<timer_t> timers;
  for (long number = 1; number <= cpus + 2; ++number)
    threads.emplace_back([number] {
      // A timer for each thread's own processor time and one for the wall clock.
      for (const clockid_t clock : {CLOCK_THREAD_CPUTIME_ID, CLOCK_MONOTONIC}) {
        sigevent event{};
        event.sigev_notify = SIGEV_THREAD_ID;
        event.sigev_signo = SIGRTMIN;
        event._sigev_un._tid = gettid();
        timer_t timer;
        REQUIRE_OK(timer_create(clock, &event, &timer));
        const itimerspec every{{0, 700000 + number * 10000}, {0, 500000}};
        REQUIRE_OK(timer_settime(timer, 0, &every, nullptr));
      }
      worker(static_cast<unsigned long>(number));
    });
  const itimerval every{{0, 1000}, {0, 1000}};
  REQUIRE_OK(setitimer(ITIMER_REAL, &every, nullptr));
  const double start = check::now();
  for (std::size_t turn = 0; check::now() - start < seconds; ++turn) {
    pthread_kill(threads[turn % threads.size()].native_handle(), SIGUSR1);
    if (turn % 16 == 0)
      usleep(200);
  }
  stop = true;
  for (auto& thread : threads)
    thread.join();
  printf("%ld rounds, %ld signals\n", rounds.load(), signals.load());
  REQUIRE(rounds > 0 && signals > 100);
}
