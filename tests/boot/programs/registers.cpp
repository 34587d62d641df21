// SPDX-License-Identifier: GPL-2.0-only
// A system call returns its result in RAX, may change RCX and R11, and changes nothing else; an interrupt
// changes nothing at all. Checked with every general register and all of XMM filled, for calls that return at
// once, that fail, that sleep, that are interrupted by signals, and while other threads are busy.
#include "check.hpp"

#include <atomic>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <thread>
#include <vector>

namespace {

// In the order in which the assembly below stores them.
enum Register { RAX, RBX, RCX, RDX, RSI, RDI, RBP, R8, R9, R10, R11, R12, R13, R14, R15, FLAGS, kRegisters };
constexpr const char* kNames[] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "r8",
                                  "r9",  "r10", "r11", "r12", "r13", "r14", "r15", "flags"};

struct alignas(16) State {
  std::uint64_t general[kRegisters];
  unsigned char vectors[16][16];
};

// void run(const State* before, State* after): loads everything, runs BODY, stores everything.
#define FUNCTION(name, body)                                                                                 \
  extern "C" void name(const State* before, State* after);                                                   \
  asm(".text\n.p2align 4\n.type " #name ", @function\n" #name ":\n\t"                                        \
      "pushq %rbx\n\tpushq %rbp\n\tpushq %r12\n\tpushq %r13\n\tpushq %r14\n\tpushq %r15\n\tpushq %rsi\n\t"   \
      "movdqa 128(%rdi), %xmm0\n\tmovdqa 144(%rdi), %xmm1\n\tmovdqa 160(%rdi), %xmm2\n\t"                    \
      "movdqa 176(%rdi), %xmm3\n\tmovdqa 192(%rdi), %xmm4\n\tmovdqa 208(%rdi), %xmm5\n\t"                    \
      "movdqa 224(%rdi), %xmm6\n\tmovdqa 240(%rdi), %xmm7\n\tmovdqa 256(%rdi), %xmm8\n\t"                    \
      "movdqa 272(%rdi), %xmm9\n\tmovdqa 288(%rdi), %xmm10\n\tmovdqa 304(%rdi), %xmm11\n\t"                  \
      "movdqa 320(%rdi), %xmm12\n\tmovdqa 336(%rdi), %xmm13\n\tmovdqa 352(%rdi), %xmm14\n\t"                 \
      "movdqa 368(%rdi), %xmm15\n\t"                                                                         \
      "movq 0(%rdi), %rax\n\tmovq 8(%rdi), %rbx\n\tmovq 16(%rdi), %rcx\n\tmovq 24(%rdi), %rdx\n\t"           \
      "movq 32(%rdi), %rsi\n\tmovq 48(%rdi), %rbp\n\tmovq 56(%rdi), %r8\n\tmovq 64(%rdi), %r9\n\t"           \
      "movq 72(%rdi), %r10\n\tmovq 80(%rdi), %r11\n\tmovq 88(%rdi), %r12\n\tmovq 96(%rdi), %r13\n\t"         \
      "movq 104(%rdi), %r14\n\tmovq 112(%rdi), %r15\n\tpushq 120(%rdi)\n\tmovq 40(%rdi), "                   \
      "%rdi\n\tpopfq\n\t" body "\n\t"                                                                        \
      "pushfq\n\tcld\n\tpushq %rdi\n\tmovq 16(%rsp), %rdi\n\t"                                               \
      "movq %rax, 0(%rdi)\n\tmovq %rbx, 8(%rdi)\n\tmovq %rcx, 16(%rdi)\n\tmovq %rdx, 24(%rdi)\n\t"           \
      "movq %rsi, 32(%rdi)\n\tpopq 40(%rdi)\n\tmovq %rbp, 48(%rdi)\n\tmovq %r8, 56(%rdi)\n\t"                \
      "movq %r9, 64(%rdi)\n\tmovq %r10, 72(%rdi)\n\tmovq %r11, 80(%rdi)\n\tmovq %r12, 88(%rdi)\n\t"          \
      "movq %r13, 96(%rdi)\n\tmovq %r14, 104(%rdi)\n\tmovq %r15, 112(%rdi)\n\tpopq 120(%rdi)\n\t"            \
      "movdqa %xmm0, 128(%rdi)\n\tmovdqa %xmm1, 144(%rdi)\n\tmovdqa %xmm2, 160(%rdi)\n\t"                    \
      "movdqa %xmm3, 176(%rdi)\n\tmovdqa %xmm4, 192(%rdi)\n\tmovdqa %xmm5, 208(%rdi)\n\t"                    \
      "movdqa %xmm6, 224(%rdi)\n\tmovdqa %xmm7, 240(%rdi)\n\tmovdqa %xmm8, 256(%rdi)\n\t"                    \
      "movdqa %xmm9, 272(%rdi)\n\tmovdqa %xmm10, 288(%rdi)\n\tmovdqa %xmm11, 304(%rdi)\n\t"                  \
      "movdqa %xmm12, 320(%rdi)\n\tmovdqa %xmm13, 336(%rdi)\n\tmovdqa %xmm14, 352(%rdi)\n\t"                 \
      "movdqa %xmm15, 368(%rdi)\n\t"                                                                         \
      "popq %rsi\n\tpopq %r15\n\tpopq %r14\n\tpopq %r13\n\tpopq %r12\n\tpopq %rbp\n\tpopq %rbx\n\tret\n"     \
      ".size " #name ", .-" #name "\n")

FUNCTION(run_system_call, "syscall");
// RCX counts down to 0 through many interrupts; nothing else may change.
FUNCTION(run_spin, "1:\tleaq -1(%rcx), %rcx\n\tjrcxz 2f\n\tjmp 1b\n2:");
// A page fault in the middle: RSI points to a page that is not there yet.
FUNCTION(run_fault, "movb $1, (%rsi)");

State pattern(std::uint64_t seed) {
  State state{};
  for (std::uint64_t i = 0; i < FLAGS; ++i)
    state.general[i] = 0x9e3779b97f4a7c15 * (seed * 31 + i + 1);
  state.general[FLAGS] = 0x202;
  for (std::size_t i = 0; i < 16; ++i)
    for (std::size_t byte = 0; byte < 16; ++byte)
      state.vectors[i][byte] = static_cast<unsigned char>(seed + i * 16 + byte);
  return state;
}

void compare(const State& before, const State& after, const char* what, unsigned may_change) {
  for (int i = 0; i < FLAGS; ++i)
    if (!(may_change >> i & 1) && before.general[i] != after.general[i])
      check::fail(__FILE__, __LINE__, "%s: %s was %#lx and is %#lx", what, kNames[i], before.general[i],
                  after.general[i]);
  // The direction and interrupt flags stay; a rewritten site may spend the arithmetic ones (as no compiler
  // relies on them over a system call), an interrupt may not.
  const std::uint64_t mask = may_change >> FLAGS & 1 ? 0x44700 : 0x47fd5;
  if ((before.general[FLAGS] ^ after.general[FLAGS]) & mask)
    check::fail(__FILE__, __LINE__, "%s: flags were %#lx and are %#lx", what, before.general[FLAGS],
                after.general[FLAGS]);
  for (int i = 0; i < 16; ++i)
    if (memcmp(before.vectors[i], after.vectors[i], 16) != 0)
      check::fail(__FILE__, __LINE__, "%s: xmm%d changed", what, i);
}

constexpr unsigned kCallMayChange = 1u << RAX | 1u << RCX | 1u << R11 | 1u << FLAGS;

long call(const char* what, std::uint64_t seed, std::uint64_t flags, long number, std::uint64_t a = 0,
          std::uint64_t b = 0, std::uint64_t c = 0, std::uint64_t d = 0, std::uint64_t e = 0,
          std::uint64_t f = 0) {
  State before = pattern(seed), after{};
  before.general[RAX] = static_cast<std::uint64_t>(number);
  before.general[RDI] = a;
  before.general[RSI] = b;
  before.general[RDX] = c;
  before.general[R10] = d;
  before.general[R8] = e;
  before.general[R9] = f;
  before.general[FLAGS] = flags;
  run_system_call(&before, &after);
  compare(before, after, what, kCallMayChange);
  return static_cast<long>(after.general[RAX]);
}

template <typename T> std::uint64_t at(T* pointer) {
  return reinterpret_cast<std::uint64_t>(pointer);
}

int pipe_ends[2];

// `signalled`: a handler may run at any time. It ends a wait with a time limit, SA_RESTART or not
// (signal(7)).
void all_calls(std::uint64_t seed, bool signalled) {
  const auto require_wait = [&](long result, long wanted) {
    if (!signalled || result != -EINTR)
      REQUIRE_EQ(result, wanted);
  };
  timespec time{}, brief{0, 1000};
  unsigned word = 1;
  char byte = 0;
  for (const std::uint64_t flags :
       {0x202ul, 0x202ul | 0x400, 0x202ul | 0x8d5}) { // plain; DF; CF PF AF ZF SF OF
    REQUIRE_EQ(call("getpid", seed, flags, SYS_getpid), getpid());
    REQUIRE_EQ(call("getppid", seed, flags, SYS_getppid), getppid());
    REQUIRE_EQ(call("gettid", seed, flags, SYS_gettid), gettid());
    REQUIRE_EQ(call("read of a bad descriptor", seed, flags, SYS_read, ~0ul, at(&byte), 1), -EBADF);
    REQUIRE_EQ(call("write from a bad address", seed, flags, SYS_write,
                    static_cast<std::uint64_t>(pipe_ends[1]), 8, 1),
               -EFAULT);
    REQUIRE_EQ(call("no such call", seed, flags, 999), -ENOSYS);
    REQUIRE_EQ(call("no such call", seed, flags, -5), -ENOSYS);
    REQUIRE_EQ(call("no such call", seed, flags, 512), -ENOSYS);
    REQUIRE_EQ(call("write", seed, flags, SYS_write, static_cast<std::uint64_t>(pipe_ends[1]), at("q"), 1),
               1);
    REQUIRE_EQ(call("read", seed, flags, SYS_read, static_cast<std::uint64_t>(pipe_ends[0]), at(&byte), 1),
               1);
    REQUIRE_EQ(call("clock_gettime", seed, flags, SYS_clock_gettime, CLOCK_MONOTONIC, at(&time)), 0);
    require_wait(call("nanosleep", seed, flags, SYS_nanosleep, at(&brief)), 0);
    REQUIRE_EQ(call("sched_yield", seed, flags, SYS_sched_yield), 0);
    REQUIRE_EQ(call("futex", seed, flags, SYS_futex, at(&word), FUTEX_WAIT_PRIVATE, 2), -EAGAIN);
    require_wait(call("futex timeout", seed, flags, SYS_futex, at(&word), FUTEX_WAIT_PRIVATE, 1, at(&brief)),
                 -ETIMEDOUT);
    REQUIRE(call("mmap", seed, flags, SYS_mmap, 0, 4096, 3, 0x22, ~0ul, 0) > 0);
    REQUIRE_EQ(call("mmap of too much", seed, flags, SYS_mmap, 0, 1ul << 60, 3, 0x22, ~0ul, 0), -ENOMEM);
    REQUIRE_EQ(call("rt_sigprocmask", seed, flags, SYS_rt_sigprocmask, 0, 0, 0, 8), 0);
  }
}

void fork_and_exec_state() {
  // A forked child has its parent's registers, too.
  State before = pattern(99), after{};
  before.general[RAX] = SYS_fork;
  const pid_t parent = getpid();
  run_system_call(&before, &after);
  compare(before, after, "fork", kCallMayChange);
  if (getpid() != parent)
    _exit(after.general[RAX] == 0 ? 0 : 1);
  int status;
  REQUIRE_EQ(waitpid(static_cast<pid_t>(after.general[RAX]), &status, 0), after.general[RAX]);
  REQUIRE_EXIT(status, 0);
}

std::atomic<int> ticks;

void interrupted(std::uint64_t seed) {
  for (int round = 0; round < 10; ++round) {
    State before = pattern(seed + static_cast<std::uint64_t>(round)), after{};
    before.general[RCX] = 2000000;
    before.general[FLAGS] = round % 2 ? 0x202 | 0x8d5 : 0x202;
    run_spin(&before, &after);
    compare(before, after, "spinning through interrupts", 1u << RCX);
    REQUIRE_EQ(after.general[RCX], 0);
    alignas(4096) static thread_local char page[4096];
    madvise(page, 4096, MADV_DONTNEED);
    before = pattern(seed);
    before.general[RSI] = at(page);
    run_fault(&before, &after);
    compare(before, after, "a page fault", 0);
  }
}

void sleeping_through_signals(std::uint64_t seed) {
  // A restarted call is invisible but for its time; an ended one says EINTR.
  const timespec nap{0, 5000000};
  timespec left{};
  for (int round = 0; round < 20; ++round) {
    const long result = call("nanosleep under signals", seed, 0x202, SYS_nanosleep, at(&nap), at(&left));
    REQUIRE(result == 0 || result == -EINTR);
    const long restarted = call("wait4 under signals", seed, 0x202, SYS_wait4, ~0ul, 0, 0, 0);
    REQUIRE_EQ(restarted, -ECHILD);
  }
}

} // namespace

int main() {
  REQUIRE_OK(pipe(pipe_ends));
  all_calls(1, false);
  fork_and_exec_state();
  interrupted(5);
  struct sigaction action {};
  action.sa_flags = SA_RESTART;
  action.sa_handler = [](int) {
    ++ticks;
    State junk = pattern(12345), after;
    junk.general[RAX] = SYS_getpid;
    run_system_call(&junk, &after);
  };
  REQUIRE_OK(sigaction(SIGALRM, &action, nullptr));
  const itimerval every{{0, 1000}, {0, 1000}}, off{};
  REQUIRE_OK(setitimer(ITIMER_REAL, &every, nullptr));
  std::vector<std::thread> threads;
  for (std::uint64_t seed = 10; seed < 16; ++seed)
    threads.emplace_back([seed] {
      all_calls(seed, true);
      interrupted(seed);
      sleeping_through_signals(seed);
    });
  for (auto& thread : threads)
    thread.join();
  const double start = check::now();
  while (ticks < 100) {
    REQUIRE(check::now() - start < 60);
    interrupted(70);
  }
  REQUIRE_OK(setitimer(ITIMER_REAL, &off, nullptr));
}
