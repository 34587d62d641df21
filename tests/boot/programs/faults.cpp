// SPDX-License-Identifier: GPL-2.0-only
// Faults of the program, reported as to any process: the signal, si_code and si_addr, the error code and trap
// number in the frame; and handlers that repair the fault, step over it or jump out.
#include "check.hpp"

#include <cfenv>
#include <climits>
#include <cmath>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <sys/mman.h>
#include <thread>
#include <ucontext.h>
#include <vector>

namespace {

struct Fault {
  int signal, code;
  std::uintptr_t address, rip;
  long trap, error, cr2;
};
thread_local volatile Fault last;
thread_local sigjmp_buf back;

void on_fault(int signal, siginfo_t* info, void* context) {
  const auto* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  last.signal = signal;
  last.code = info->si_code;
  last.address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  last.rip = static_cast<std::uintptr_t>(registers[REG_RIP]);
  last.trap = registers[REG_TRAPNO];
  last.error = registers[REG_ERR];
  last.cr2 = registers[REG_CR2];
  siglongjmp(back, 1);
}

void catch_faults() {
  for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP}) {
    struct sigaction action {};
    action.sa_flags = SA_SIGINFO;
    action.sa_sigaction = on_fault;
    REQUIRE_OK(sigaction(signal, &action, nullptr));
  }
}

template <typename Body>
void expect_fault(const char* what, int line, int signal, int code, std::uintptr_t address, long error,
                  Body&& body) {
  constexpr long any = -1;
  last.signal = 0;
  if (sigsetjmp(back, 1) == 0) {
    body();
    check::fail(__FILE__, line, "%s: no fault", what);
  }
  if (last.signal != signal || last.code != code || last.address != address)
    check::fail(__FILE__, line, "%s: signal %d code %d address %#lx, wanted signal %d code %d address %#lx",
                what, last.signal, last.code, last.address, signal, code, address);
  if (error != any && last.error != error)
    check::fail(__FILE__, line, "%s: error code %#lx, wanted %#lx", what, last.error, error);
}
#define EXPECT_FAULT(signal, code, address, error, ...)                                                      \
  expect_fault(#__VA_ARGS__, __LINE__, signal, code, (std::uintptr_t)(address), error, [&] { __VA_ARGS__; })

constexpr long kRead = 4, kWrite = 6, kFetch = 0x14,
               kProtection = 1; // x86 page fault error bits, U always set

template <typename T> void touch(T* address) {
  (void)*static_cast<volatile T*>(address);
}

void memory_faults() {
  EXPECT_FAULT(SIGSEGV, SEGV_MAPERR, 0, kRead, touch(static_cast<int*>(nullptr)));
  REQUIRE_EQ(last.trap, 14);
  for (std::uintptr_t address : {0x10ul, 0xffful, 0x7ffffffff000ul - 0x200000000ul}) {
    auto* pointer = reinterpret_cast<volatile char*>(address);
    EXPECT_FAULT(SIGSEGV, SEGV_MAPERR, address, kRead, (void)*pointer);
    REQUIRE_EQ(last.cr2, address);
    EXPECT_FAULT(SIGSEGV, SEGV_MAPERR, address, kWrite, *pointer = 1);
  }
  auto* page =
      static_cast<char*>(mmap(nullptr, 3 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  REQUIRE(page != MAP_FAILED);
  auto* volatile target = page + 4096;
  memset(page, 1, 3 * 4096);
  REQUIRE_OK(mprotect(target, 4096, PROT_READ));
  EXPECT_FAULT(SIGSEGV, SEGV_ACCERR, target + 123, kWrite | kProtection,
               *const_cast<volatile char*>(target + 123) = 5);
  REQUIRE_EQ(target[123], 1);
  // An access that begins on a good page and runs into the bad one reports the first bad byte.
  EXPECT_FAULT(SIGSEGV, SEGV_ACCERR, target, kWrite | kProtection,
               *reinterpret_cast<volatile std::uint64_t*>(target - 4) = ~0ul);
  REQUIRE_OK(mprotect(target, 4096, PROT_NONE));
  EXPECT_FAULT(SIGSEGV, SEGV_ACCERR, target + 4095, -1, touch(target + 4095));
  REQUIRE_EQ(last.error & ~kProtection, kRead);
  REQUIRE_OK(munmap(target, 4096));
  EXPECT_FAULT(SIGSEGV, SEGV_MAPERR, target + 8, kRead, touch(target + 8));

  // Execution of data, of nothing, of address 0.
  *page = static_cast<char>(0xc3); // ret
  auto* function = reinterpret_cast<void (*)()>(page);
  EXPECT_FAULT(SIGSEGV, SEGV_ACCERR, page, kFetch | kProtection, function());
  REQUIRE_EQ(last.rip, page);
  EXPECT_FAULT(SIGSEGV, SEGV_MAPERR, target, kFetch, reinterpret_cast<void (*)()>(target)());
  void* volatile nothing = nullptr;
  EXPECT_FAULT(SIGSEGV, SEGV_MAPERR, 0, kFetch, reinterpret_cast<void (*)()>(const_cast<void*>(nothing))());
  REQUIRE_OK(mprotect(page, 4096, PROT_READ | PROT_EXEC));
  function();

  // Addresses that no page table can hold: a general protection fault, without an address.
  auto* volatile wild = reinterpret_cast<volatile char*>(0x0123456789abcdef);
  EXPECT_FAULT(SIGSEGV, SI_KERNEL, 0, 0, (void)*wild);
  REQUIRE_EQ(last.trap, 13);
  EXPECT_FAULT(SIGSEGV, SI_KERNEL, 0, 0, *wild = 1);
}

void bus_errors() {
  const int file = memfd_create("short", 0);
  REQUIRE_OK(ftruncate(file, 4096 + 100));
  auto* map = static_cast<char*>(mmap(nullptr, 4 * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
  REQUIRE(map != MAP_FAILED);
  touch(map + 8191); // the rest of the last page is there
  EXPECT_FAULT(SIGBUS, BUS_ADRERR, map + 8192 + 5, -1, touch(map + 8192 + 5));
  EXPECT_FAULT(SIGBUS, BUS_ADRERR, map + 3 * 4096, -1, *const_cast<volatile char*>(map + 3 * 4096) = 1);
  REQUIRE_OK(ftruncate(file, 4 * 4096));
  touch(map + 3 * 4096);
  REQUIRE_OK(ftruncate(file, 0));
  EXPECT_FAULT(SIGBUS, BUS_ADRERR, map, -1, touch(map));
  munmap(map, 4 * 4096);
  close(file);
}

extern "C" char divide_site[], undefined_site[], breakpoint_site[], x87_site[];

void instruction_faults() {
  EXPECT_FAULT(SIGFPE, FPE_INTDIV, divide_site, 0, {
    unsigned zero = 0;
    asm volatile("xorl %%edx, %%edx\n\tmovl $7, %%eax\ndivide_site:\n\tdivl %0" ::"r"(zero) : "eax", "edx");
  });
  REQUIRE_EQ(last.rip, divide_site);
  REQUIRE_EQ(last.trap, 0);
  volatile int low = INT_MIN, minus = -1;
  last.signal = 0;
  if (sigsetjmp(back, 1) == 0) {
    low = low / minus;
    check::fail(__FILE__, __LINE__, "INT_MIN / -1 did not fault");
  }
  REQUIRE_EQ(last.signal, SIGFPE);
  REQUIRE_EQ(last.code, FPE_INTDIV);

  EXPECT_FAULT(SIGILL, ILL_ILLOPN, undefined_site, 0, asm volatile("undefined_site:\n\tud2"));
  REQUIRE_EQ(last.rip, undefined_site);
  REQUIRE_EQ(last.trap, 6);

  EXPECT_FAULT(SIGTRAP, SI_KERNEL, 0, 0, asm volatile("breakpoint_site:\n\tint3"));
  REQUIRE_EQ(last.rip, breakpoint_site + 1);
  REQUIRE_EQ(last.trap, 3);

  // A pending x87 exception faults at the next waiting instruction.
  EXPECT_FAULT(SIGFPE, FPE_FLTDIV, x87_site, 0, {
    unsigned short control = 0x37f & ~4; // division by zero unmasked
    asm volatile("fninit\n\tfldcw %0\n\tfld1\n\tfldz\n\tfdivrp\nx87_site:\n\tfwait" ::"m"(control));
  });
  asm volatile("fninit");

  // A processor traps before the instruction has a result, and comes to the same instruction again whatever
  // was done about the trap. So a result says that the processor does not trap: QEMU's translator does not,
  // also as the machine below another hypervisor.
  volatile double one = 1, zero = 0, result = 0;
  last.signal = 0;
  if (sigsetjmp(back, 1) == 0) {
    feenableexcept(FE_DIVBYZERO);
    result = one / zero;
    fedisableexcept(FE_ALL_EXCEPT);
    if (!std::isinf(result))
      check::fail(__FILE__, __LINE__, "1.0 / 0.0 neither faulted nor gave infinity");
    puts("note: SSE exceptions not checked: this processor does not raise them");
  } else {
    REQUIRE_EQ(last.signal, SIGFPE);
    REQUIRE_EQ(last.code, FPE_FLTDIV);
    fedisableexcept(FE_ALL_EXCEPT);
  }
  feclearexcept(FE_ALL_EXCEPT);

  // The trap flag: one SIGTRAP after each instruction until the handler clears it. No CPUID among them: there
  // are hypervisors that emulate it and step over the trap.
  static volatile int steps;
  steps = 0;
  struct sigaction action {
  }, old{};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t* info, void* context) {
    auto* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    if (info->si_code != TRAP_TRACE || registers[REG_TRAPNO] != 1)
      _exit(3);
    if (info->si_addr != reinterpret_cast<void*>(registers[REG_RIP]))
      _exit(4);
    steps = steps + 1;
  };
  REQUIRE_OK(sigaction(SIGTRAP, &action, &old));
  asm volatile("subq $128, %%rsp\n\t"
               "pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
               "nop\n\tnop\n\tnop\n\tmovl $1, %%eax\n\tnop\n\t"
               "pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq\n\t"
               "nop\n\t"
               "addq $128, %%rsp" ::
                   : "eax", "ebx", "ecx", "edx", "memory", "cc");
  REQUIRE_EQ(steps, 8);
  REQUIRE_OK(sigaction(SIGTRAP, &old, nullptr));
}

void repaired() {
  // The handler makes the page accessible and returns: the access happens as if nothing had been.
  static char* volatile base;
  static volatile int repairs;
  repairs = 0;
  base = static_cast<char*>(mmap(nullptr, 64 * 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  struct sigaction action {
  }, old{};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    const auto page = reinterpret_cast<std::uintptr_t>(info->si_addr) & ~4095ul;
    if (mprotect(reinterpret_cast<void*>(page), 4096, PROT_READ | PROT_WRITE) != 0)
      _exit(5);
    repairs = repairs + 1;
  };
  REQUIRE_OK(sigaction(SIGSEGV, &action, &old));
  for (int page = 0; page < 64; ++page) {
    volatile char* at = base + page * 4096 + page;
    *at = static_cast<char>(page);
    REQUIRE_EQ(repairs, page + 1);
    REQUIRE_EQ(*at, page);
  }
  // A string instruction goes on where it was interrupted.
  REQUIRE_OK(mprotect(base, 64 * 4096, PROT_NONE));
  repairs = 0;
  char* target = base;
  unsigned long left = 64 * 4096;
  asm volatile("rep stosb" : "+D"(target), "+c"(left) : "a"(0x5a) : "memory");
  REQUIRE_EQ(repairs, 64);
  for (int at = 0; at < 64 * 4096; at += 511)
    REQUIRE_EQ(base[at], 0x5a);
  // A system call does not fault: it says EFAULT.
  REQUIRE_OK(mprotect(base, 4096, PROT_NONE));
  int ends[2];
  REQUIRE_OK(pipe(ends));
  repairs = 0;
  REQUIRE_ERRNO(write(ends[1], base, 10), EFAULT);
  REQUIRE_EQ(write(ends[1], "0123456789", 10), 10);
  REQUIRE_ERRNO(read(ends[0], base, 10), EFAULT);
  REQUIRE_EQ(repairs, 0);
  REQUIRE_ERRNO(write(ends[1], reinterpret_cast<void*>(0xffffffff81000000), 10), EFAULT);
  REQUIRE_OK(sigaction(SIGSEGV, &old, nullptr));
  munmap(base, 64 * 4096);
}

void on_many_threads() {
  std::vector<std::thread> threads;
  for (int number = 0; number < 8; ++number)
    threads.emplace_back([number] {
      for (int round = 0; round < 200; ++round) {
        const std::uintptr_t address = 0x100 + static_cast<std::uintptr_t>(number * 256 + round);
        EXPECT_FAULT(SIGSEGV, SEGV_MAPERR, address, kWrite, *reinterpret_cast<volatile char*>(address) = 1);
      }
    });
  for (auto& thread : threads)
    thread.join();
}

void without_a_handler() {
  const auto quiet = [](auto&& body) {
    return check::in_child([&] {
      for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP})
        ::signal(signal, SIG_DFL);
      body();
    });
  };
  REQUIRE_KILLED(quiet([] { *reinterpret_cast<volatile int*>(8) = 1; }), SIGSEGV);
  REQUIRE_KILLED(quiet([] { asm volatile("ud2"); }), SIGILL);
  REQUIRE_KILLED(quiet([] { asm volatile("int3"); }), SIGTRAP);
  REQUIRE_KILLED(quiet([] {
                   asm volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx" ::: "eax", "ecx", "edx");
                 }),
                 SIGFPE);
  REQUIRE_KILLED(quiet([] { abort(); }), SIGABRT);
  // A blocked or ignored fault signal kills all the same.
  REQUIRE_KILLED(quiet([] {
                   signal(SIGSEGV, SIG_IGN);
                   *reinterpret_cast<volatile int*>(8) = 1;
                 }),
                 SIGSEGV);
  // A fault inside its own handler, too.
  REQUIRE_KILLED(quiet([] {
                   signal(SIGSEGV, [](int) { *reinterpret_cast<volatile int*>(16) = 1; });
                   *reinterpret_cast<volatile int*>(8) = 1;
                 }),
                 SIGSEGV);
}

} // namespace

int main() {
  catch_faults();
  memory_faults();
  bus_errors();
  instruction_faults();
  repaired();
  on_many_threads();
  without_a_handler();
}
