// SPDX-License-Identifier: GPL-2.0-only
// The stack: it grows on demand, its end is a SIGSEGV which an alternate stack can handle, threads have guard
// pages, and neither interrupts nor faults touch what lies below a stack pointer that points nowhere.
#include "check.hpp"

#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

namespace {

sigjmp_buf back;
volatile std::uintptr_t fault_address, fault_stack;
volatile int fault_code, step = 1;

[[gnu::noinline]] long recurse(long depth) {
  volatile char frame[4000];
  frame[0] = static_cast<char>(depth);
  frame[3999] = 1;
  return depth == 0 ? 0 : recurse(depth - 1) + frame[3999];
}

[[gnu::noinline]] long forever(long depth) {
  volatile char frame[900];
  frame[0] = static_cast<char>(depth);
  if (depth < 0)
    return 0;                              // never
  return forever(depth + step) + frame[0]; // not a tail call
}

void growth() {
  rlimit limit{};
  getrlimit(RLIMIT_STACK, &limit);
  REQUIRE(limit.rlim_cur >= 8ul << 20);
  REQUIRE_EQ(recurse(1800), 1800); // 7.2 MB
  // One big step down at once, as alloca does.
  REQUIRE_EXIT(check::in_child([] {
                 volatile char* low = static_cast<char*>(__builtin_alloca(7 << 20));
                 low[0] = 1;
                 REQUIRE_EQ(low[4096], 0);
               }),
               0);
  std::ifstream maps("/proc/self/maps");
  bool found = false;
  for (std::string line; std::getline(maps, line);)
    if (line.find("[stack]") != std::string::npos) {
      std::uintptr_t start = 0, end = 0;
      REQUIRE_EQ(sscanf(line.c_str(), "%lx-%lx", &start, &end), 2);
      REQUIRE(end - start >= 1800 * 4000);
      char here;
      REQUIRE(reinterpret_cast<std::uintptr_t>(&here) > start &&
              reinterpret_cast<std::uintptr_t>(&here) < end);
      found = true;
    }
  REQUIRE(found);
}

void on_fault(int, siginfo_t* info, void* context) {
  fault_address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  fault_code = info->si_code;
  fault_stack = static_cast<std::uintptr_t>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RSP]);
  siglongjmp(back, 1);
}

void use_alternate_stack() {
  static thread_local char memory[65536];
  const stack_t alternate{memory, 0, sizeof memory};
  REQUIRE_OK(sigaltstack(&alternate, nullptr));
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  action.sa_sigaction = on_fault;
  REQUIRE_OK(sigaction(SIGSEGV, &action, nullptr));
}

void overflow() {
  use_alternate_stack();
  for (int round = 0; round < 3; ++round) {
    fault_address = 0;
    if (sigsetjmp(back, 1) == 0) {
      forever(0);
      check::fail(__FILE__, __LINE__, "endless recursion ended");
    }
    REQUIRE(fault_address != 0);
    const auto distance = static_cast<std::intptr_t>(fault_address - fault_stack);
    if (distance < -64 || distance > 4096)
      check::fail(__FILE__, __LINE__, "fault at %#lx, stack pointer %#lx", fault_address, fault_stack);
    REQUIRE(fault_code == SEGV_MAPERR || fault_code == SEGV_ACCERR);
  }
  signal(SIGSEGV, SIG_DFL);
  REQUIRE_KILLED(check::in_child([] { forever(0); }), SIGSEGV);
  // A handler without an alternate stack cannot run there: the process is killed.
  REQUIRE_KILLED(check::in_child([] {
                   const stack_t off{nullptr, SS_DISABLE, 0};
                   sigaltstack(&off, nullptr);
                   signal(SIGSEGV, [](int) { _exit(3); });
                   forever(0);
                 }),
                 SIGSEGV);
}

void limited() {
  REQUIRE_KILLED(check::in_child([] {
                   const rlimit small{1 << 20, 1 << 20};
                   REQUIRE_OK(setrlimit(RLIMIT_STACK, &small));
                   recurse(1800);
                 }),
                 SIGSEGV);
}

void in_a_thread() {
  pthread_t thread;
  REQUIRE_EQ(pthread_create(
                 &thread, nullptr,
                 [](void*) -> void* {
                   use_alternate_stack();
                   fault_address = 0;
                   if (sigsetjmp(back, 1) == 0)
                     forever(0);
                   REQUIRE_EQ(fault_code, SEGV_ACCERR); // the guard page
                   return nullptr;
                 },
                 nullptr),
             0);
  REQUIRE_EQ(pthread_join(thread, nullptr), 0);
  signal(SIGSEGV, SIG_DFL);
}

// Counts down with the stack pointer at `stack`, through many timer interrupts.
void spin_on(std::uintptr_t stack, long rounds) {
  asm volatile("movq %%rsp, %%r15\n\t"
               "movq %0, %%rsp\n"
               "1:\tdecq %1\n\t"
               "jnz 1b\n\t"
               "movq %%r15, %%rsp"
               : "+r"(stack), "+r"(rounds)
               :
               : "r15", "memory", "cc");
}

// System calls while RSP is not canonical, interrupted at every instruction of their way in and out.
void call_without_stack(int rounds) {
  const long self = getpid();
  for (; rounds > 0; --rounds) {
    long result = SYS_getpid;
    asm volatile("btcq $63, %%rsp\n\t"
                 "syscall\n\t"
                 "btcq $63, %%rsp"
                 : "+a"(result)
                 :
                 : "rcx", "r11", "memory", "cc");
    REQUIRE_EQ(result, self);
  }
}

void stack_pointer_nowhere() {
  // A program may use RSP as it likes while no signal comes; interrupts must not care.
  for (const std::uintptr_t stack : {0ul, 8ul, 0x1234567ul, 0x7fffffff0000ul, 0x00007ffffffffff8ul})
    spin_on(stack, 30000000);
  // Nor about an RSP that looks like the kernel's: not canonical, or in the upper half of the address space.
  for (const std::uintptr_t stack :
       {1ul << 63, 0x80007fff12345678ul, 0xffff800000000000ul, 0xfffffffffffffff8ul})
    spin_on(stack, 30000000);
  call_without_stack(1000000);
  // A page of data as the stack: nothing below or above RSP changes.
  auto* page = static_cast<unsigned char*>(
      mmap(nullptr, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  memset(page, 0xa5, 3 * 4096);
  for (const int offset : {0, 8, 5, 15}) {
    spin_on(reinterpret_cast<std::uintptr_t>(page + 2 * 4096 + offset), 30000000);
    for (int at = 0; at < 3 * 4096; ++at)
      REQUIRE_EQ(page[at], 0xa5);
  }
  // With an alternate stack even signals work there.
  static volatile int ticks;
  ticks = 0;
  static char memory[65536];
  const stack_t alternate{memory, 0, sizeof memory};
  REQUIRE_OK(sigaltstack(&alternate, nullptr));
  struct sigaction action {};
  action.sa_flags = SA_ONSTACK;
  action.sa_handler = [](int) { ticks = ticks + 1; };
  REQUIRE_OK(sigaction(SIGALRM, &action, nullptr));
  const itimerval every{{0, 1000}, {0, 1000}}, off{};
  REQUIRE_OK(setitimer(ITIMER_REAL, &every, nullptr));
  const double start = check::now();
  while (ticks < 50) {
    REQUIRE(check::now() - start < 60);
    spin_on(16, 5000000);
  }
  REQUIRE_OK(setitimer(ITIMER_REAL, &off, nullptr));
  // Without one, a signal on a stack that does not exist kills.
  REQUIRE_KILLED(check::in_child([] {
                   signal(SIGALRM, [](int) {});
                   // Again and again: the first may come before the stack is gone.
                   const itimerval soon{{0, 1000}, {0, 1000}};
                   REQUIRE_OK(setitimer(ITIMER_REAL, &soon, nullptr));
                   while (true)
                     spin_on(16, 100000000);
                 }),
                 SIGSEGV);
}

} // namespace

int main() {
  limited(); // first: a stack that has grown stays
  growth();
  overflow();
  in_a_thread();
  stack_pointer_nowhere();
}
