// SPDX-License-Identifier: GPL-2.0-only
// x87, SSE, AVX and AVX-512 registers belong to each thread: kept over interrupts, context switches, system
// calls, signals and fork, and shown truly in a signal's frame.
#include "check.hpp"

#include <atomic>
#include <csignal>
#include <immintrin.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <thread>
#include <ucontext.h>
#include <vector>

namespace {

struct alignas(64) Vectors {
  unsigned char bytes[32][64];
};

// Loads all vector registers of one kind, spins (and yields the processor by a raw system call each time
// round), and stores them again.
#define LOOP                                                                                                 \
  "1:\tmovl $24, %%eax\n\tsyscall\n\t" /* sched_yield */                                                     \
  "movl $20000, %%edx\n2:\tdecl %%edx\n\tjnz 2b\n\tdecl %[rounds]\n\tjnz 1b\n\t"
#define EIGHT(op, from, a, b, c, d, e, f, g, h, size)                                                        \
  op(from, a, size) op(from, b, size) op(from, c, size) op(from, d, size) op(from, e, size)                  \
      op(from, f, size) op(from, g, size) op(from, h, size)
#define LOAD_XMM(r, n, s) "movdqu " #n "*64(%[data]), %%xmm" #n "\n\t"
#define STORE_XMM(r, n, s) "movdqu %%xmm" #n ", " #n "*64(%[data])\n\t"
#define LOAD_YMM(r, n, s) "vmovdqu " #n "*64(%[data]), %%ymm" #n "\n\t"
#define STORE_YMM(r, n, s) "vmovdqu %%ymm" #n ", " #n "*64(%[data])\n\t"
#define LOAD_ZMM(r, n, s) "vmovdqu64 " #n "*64(%[data]), %%zmm" #n "\n\t"
#define STORE_ZMM(r, n, s) "vmovdqu64 %%zmm" #n ", " #n "*64(%[data])\n\t"
#define SIXTEEN(op) EIGHT(op, , 0, 1, 2, 3, 4, 5, 6, 7, ) EIGHT(op, , 8, 9, 10, 11, 12, 13, 14, 15, )
#define THIRTY_TWO(op)                                                                                       \
  SIXTEEN(op) EIGHT(op, , 16, 17, 18, 19, 20, 21, 22, 23, ) EIGHT(op, , 24, 25, 26, 27, 28, 29, 30, 31, )
#define ALL_XMM                                                                                              \
  "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", \
      "xmm13", "xmm14", "xmm15"

void sse(Vectors& data, int rounds) {
  asm volatile(SIXTEEN(LOAD_XMM) LOOP SIXTEEN(STORE_XMM)
               : [rounds] "+&r"(rounds)
               : [data] "r"(&data)
               : "rax", "rcx", "rdx", "r11", "memory", "cc", ALL_XMM);
}

[[gnu::target("avx2")]] void avx(Vectors& data, int rounds) {
  asm volatile(SIXTEEN(LOAD_YMM) LOOP SIXTEEN(STORE_YMM) "vzeroupper"
               : [rounds] "+&r"(rounds)
               : [data] "r"(&data)
               : "rax", "rcx", "rdx", "r11", "memory", "cc", ALL_XMM);
}

[[gnu::target("avx512f")]] void avx512(Vectors& data, int rounds) {
  asm volatile(THIRTY_TWO(LOAD_ZMM) LOOP THIRTY_TWO(STORE_ZMM) "vzeroupper"
               : [rounds] "+&r"(rounds)
               : [data] "r"(&data)
               : "rax", "rcx", "rdx", "r11", "memory", "cc", ALL_XMM, "xmm16", "xmm17", "xmm18", "xmm19",
                 "xmm20", "xmm21", "xmm22", "xmm23", "xmm24", "xmm25", "xmm26", "xmm27", "xmm28", "xmm29",
                 "xmm30", "xmm31");
}

// The x87 stack, its control word and MXCSR.
void x87(int seed, int rounds) {
  const unsigned short control = static_cast<unsigned short>(0x07f | (seed & 3) << 10 | 2 << 8);
  const unsigned mxcsr = 0x1f80u | static_cast<unsigned>(seed & 3) << 13;
  unsigned short control_after = 0;
  unsigned mxcsr_after = 0;
  long values[8], after[8];
  for (int i = 0; i < 8; ++i)
    values[i] = seed * 1000 + i;
  asm volatile("fninit\n\tfldcw %[control]\n\tldmxcsr %[mxcsr]\n\t"
               "fildq 0(%[in])\n\tfildq 8(%[in])\n\tfildq 16(%[in])\n\tfildq 24(%[in])\n\t"
               "fildq 32(%[in])\n\tfildq 40(%[in])\n\tfildq 48(%[in])\n\tfildq 56(%[in])\n\t" LOOP
               "fistpq 56(%[out])\n\tfistpq 48(%[out])\n\tfistpq 40(%[out])\n\tfistpq 32(%[out])\n\t"
               "fistpq 24(%[out])\n\tfistpq 16(%[out])\n\tfistpq 8(%[out])\n\tfistpq 0(%[out])\n\t"
               "fnstcw %[control_after]\n\tstmxcsr %[mxcsr_after]\n\tfninit"
               : [rounds] "+&r"(rounds), [control_after] "=m"(control_after), [mxcsr_after] "=m"(mxcsr_after)
               : [in] "r"(values), [out] "r"(after), [control] "m"(control), [mxcsr] "m"(mxcsr)
               : "rax", "rcx", "rdx", "r11", "memory", "cc", "st");
  const unsigned standard = 0x1f80;
  asm volatile("ldmxcsr %0" ::"m"(standard));
  for (int i = 0; i < 8; ++i)
    REQUIRE_EQ(after[i], values[i]);
  REQUIRE_EQ(control_after, control);
  REQUIRE_EQ(mxcsr_after, mxcsr);
}

template <typename Kernel> void check_vectors(Kernel&& run, int seed, int count, int width, int rounds) {
  Vectors data, wanted;
  for (int r = 0; r < 32; ++r)
    for (int byte = 0; byte < 64; ++byte)
      wanted.bytes[r][byte] = static_cast<unsigned char>(seed * 37 + r * 5 + byte);
  data = wanted;
  run(data, rounds);
  for (int r = 0; r < count; ++r)
    if (memcmp(data.bytes[r], wanted.bytes[r], static_cast<std::size_t>(width)) != 0)
      check::fail(__FILE__, __LINE__, "vector register %d (of %d bytes) changed", r, width);
}

void everything(int seed, int rounds) {
  check_vectors(sse, seed, 16, 16, rounds);
  x87(seed, rounds);
  if (__builtin_cpu_supports("avx2"))
    check_vectors(avx, seed, 16, 32, rounds);
  if (__builtin_cpu_supports("avx512f"))
    check_vectors(avx512, seed, 32, 64, rounds);
}

volatile sig_atomic_t ticks;

// A handler that destroys every register it can.
void clobber(int, siginfo_t*, void*) {
  ticks = ticks + 1;
  Vectors junk;
  memset(&junk, ticks, sizeof junk);
  if (__builtin_cpu_supports("avx2"))
    avx(junk, 1);
  else
    sse(junk, 1);
  asm volatile("fninit\n\tfldpi\n\tfldpi\n\tfldpi");
  const unsigned mxcsr = 0x1f80u | 1u << 13;
  asm volatile("ldmxcsr %0" ::"m"(mxcsr));
}

void signal_frame_shows_them() {
  static volatile unsigned long low, high;
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t*, void* context) {
    auto* registers = &static_cast<ucontext_t*>(context)->uc_mcontext;
    auto* xmm7 = reinterpret_cast<unsigned long*>(&registers->fpregs->_xmm[7]);
    low = xmm7[0];
    high = xmm7[1];
    xmm7[0] = 0x9999888877776666;
    registers->gregs[REG_RIP] += 2;
  };
  REQUIRE_OK(sigaction(SIGILL, &action, nullptr));
  unsigned long value[2] = {0x0123456789abcdef, 0xfedcba9876543210};
  asm volatile("movdqu %0, %%xmm7\n\tud2\n\tmovdqu %%xmm7, %0" : "+m"(value) : : "xmm7");
  REQUIRE_EQ(low, 0x0123456789abcdef);
  REQUIRE_EQ(high, 0xfedcba9876543210);
  REQUIRE_EQ(value[0], 0x9999888877776666);
  REQUIRE_EQ(value[1], 0xfedcba9876543210);
  signal(SIGILL, SIG_DFL);
}

} // namespace

int main() {
  __builtin_cpu_init();
  everything(1, 200);
  signal_frame_shows_them();

  std::vector<std::thread> threads;
  for (int seed = 2; seed < 10; ++seed)
    threads.emplace_back([seed] { everything(seed, 400); });
  for (auto& thread : threads)
    thread.join();

  // A child starts with its parent's registers, and neither disturbs the other.
  const pid_t child = fork();
  everything(child == 0 ? 20 : 21, 300);
  if (child == 0)
    _exit(0);
  int status;
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  REQUIRE_EXIT(status, 0);

  struct sigaction action {};
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  action.sa_sigaction = clobber;
  REQUIRE_OK(sigaction(SIGALRM, &action, nullptr));
  const itimerval every{{0, 500}, {0, 500}}, off{};
  REQUIRE_OK(setitimer(ITIMER_REAL, &every, nullptr));
  const double start = check::now();
  int seed = 30;
  while (ticks < 300) {
    REQUIRE(check::now() - start < 60);
    everything(++seed, 50);
  }
  REQUIRE_OK(setitimer(ITIMER_REAL, &off, nullptr));
}
