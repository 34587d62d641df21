// SPDX-License-Identifier: GPL-2.0-only
// Functions of the kernel, called by name: a clock, an allocator whose memory the program reads and writes,
// one that looks at the program's own memory, and one that sleeps and is hit by signals.
#include "check.hpp"

#include <csignal>
#include <sys/time.h>
#include <ukl/kernel.hpp>

UKL_KERNEL_FUNCTION(std::uint64_t, ktime_get_mono_fast_ns, void);
UKL_KERNEL_FUNCTION(ukl::KernelPointer<char>, kstrdup, ukl::Pinned<char>, unsigned);
UKL_KERNEL_FUNCTION(void, kfree, ukl::KernelPointer<char>);
UKL_KERNEL_FUNCTION(std::size_t, ksize, ukl::KernelPointer<char>);
UKL_KERNEL_FUNCTION(ukl::KernelPointer<char>, memchr_inv, ukl::Pinned<char>, int, std::size_t);
UKL_KERNEL_FUNCTION(void, msleep, unsigned);

namespace {

constexpr unsigned kGfpKernel = 0xcc0; // Linux 6.1, include/linux/gfp_types.h

volatile sig_atomic_t ticks;
void on_alarm(int) {
  ticks = ticks + 1;
}

} // namespace

int main() {
  const std::uint64_t before = ktime_get_mono_fast_ns();
  const std::uint64_t after = ktime_get_mono_fast_ns();
  REQUIRE(before > 0 && after >= before);

  static char text[1000];
  memset(text, 'x', sizeof text - 1);
  const auto memory = kstrdup(ukl::Pinned<char>(text, sizeof text), kGfpKernel);
  REQUIRE(reinterpret_cast<std::intptr_t>(memory.address) < 0); // the kernel's half
  REQUIRE(ksize(memory) >= 1000);
  REQUIRE(memory.address[998] == 'x' && memory.address[999] == 0);
  memset(memory.address, 0x5a, 1000);
  REQUIRE(memory.address[999] == 0x5a);
  kfree(memory);

  static char buffer[10000];
  buffer[9000] = 1;
  ukl::Pinned<char> pinned(buffer, sizeof buffer);
  REQUIRE(pinned.address() == buffer);
  REQUIRE(memchr_inv(pinned, 0, sizeof buffer).address == buffer + 9000);

  struct sigaction action = {};
  action.sa_handler = on_alarm;
  REQUIRE_OK(sigaction(SIGALRM, &action, nullptr));
  const itimerval interval = {{0, 2000}, {0, 2000}};
  REQUIRE_OK(setitimer(ITIMER_REAL, &interval, nullptr));
  const double start = check::now();
  for (int i = 0; i < 10; ++i)
    msleep(20);
  REQUIRE(check::now() - start >= 0.2); // msleep is not cut short by signals
  REQUIRE(ticks >= 10);                 // which are delivered when it has come back
  // The last word is written in peace: EINTR would lose it.
  const itimerval off = {};
  REQUIRE_OK(setitimer(ITIMER_REAL, &off, nullptr));
  puts("kernel functions work");
}
