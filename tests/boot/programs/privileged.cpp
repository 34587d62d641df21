// SPDX-License-Identifier: GPL-2.0-only
// Instructions that ring 3 may not execute, flags that mean nothing there, and GS: what Linux makes of each,
// seen by signal handlers. The same on the build machine.
#include "check.hpp"

#include <asm/prctl.h>
#include <cpuid.h>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/io.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>

namespace {

struct Fault {
  int signal, code;
  std::uintptr_t address, rip;
  long trap, error;
};
volatile Fault last;
sigjmp_buf back;

void on_fault(int signal, siginfo_t* info, void* context) {
  const auto* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
  last.signal = signal;
  last.code = info->si_code;
  last.address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  last.rip = static_cast<std::uintptr_t>(registers[REG_RIP]);
  last.trap = registers[REG_TRAPNO];
  last.error = registers[REG_ERR];
  siglongjmp(back, 1);
}

void compare(const char* what, int signal, long trap, long error, std::uintptr_t site) {
  const std::uintptr_t address = signal == SIGSEGV ? 0 : site;
  const int code = signal == SIGSEGV ? static_cast<int>(SI_KERNEL) : static_cast<int>(ILL_ILLOPN);
  if (last.signal != signal || last.code != code || last.address != address || last.rip != site ||
      last.trap != trap || last.error != error)
    check::fail(__FILE__, __LINE__,
                "%s: signal %d code %d address %#lx rip %#lx (wanted %#lx) trap %ld error %#lx", what,
                last.signal, last.code, last.address, last.rip, site, last.trap, last.error);
}

// The instruction `text` must end so; `setup` is what stands before it.
#define EXPECT(wanted_signal, wanted_trap, wanted_error, text, ...)                                          \
  do {                                                                                                       \
    static volatile std::uintptr_t site;                                                                     \
    last.signal = 0;                                                                                         \
    if (sigsetjmp(back, 1) == 0) {                                                                           \
      asm volatile("lea 1f(%%rip), %%r8\n\tmov %%r8, %0\n\t" __VA_ARGS__ "1: " text                          \
                   : "=m"(site)::"rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "memory", "cc");             \
      check::fail(__FILE__, __LINE__, "%s did not fault", text);                                             \
    }                                                                                                        \
    compare(text, wanted_signal, wanted_trap, wanted_error, site);                                           \
  } while (0)
#define PROTECTED(text) EXPECT(SIGSEGV, 13, 0, text, "movl $0xffff, %%ecx\n\tmovl $0x70, %%edx\n\t")
#define INVALID(text) EXPECT(SIGILL, 6, 0, text)

void privileged() {
  PROTECTED("hlt");
  PROTECTED("cli");
  PROTECTED("sti");
  PROTECTED("inb $0x70, %%al");
  PROTECTED("inl $0x70, %%eax");
  PROTECTED("outb %%al, $0x80");
  PROTECTED("outl %%eax, $0x70");
  PROTECTED("inb %%dx, %%al");
  PROTECTED("inw %%dx, %%ax");
  PROTECTED("inl %%dx, %%eax");
  PROTECTED("outb %%al, %%dx");
  PROTECTED("outw %%ax, %%dx");
  PROTECTED("outl %%eax, %%dx");
  PROTECTED("insb");
  PROTECTED("rep insl");
  PROTECTED("outsb");
  PROTECTED("rep outsw");
  PROTECTED("clts");
  PROTECTED("invd");
  PROTECTED("wbinvd");
  PROTECTED("invlpg (%%rsp)");
  PROTECTED("lgdt (%%rsp)");
  PROTECTED("lidt (%%rsp)");
  PROTECTED("lldt %%ax");
  PROTECTED("ltr %%ax");
  PROTECTED("lmsw %%ax");
  PROTECTED("rdmsr");
  PROTECTED("wrmsr");
  PROTECTED("rdpmc");
  PROTECTED("swapgs");
  PROTECTED("xsetbv");
  PROTECTED("sysretq");
  PROTECTED("mov %%cr0, %%rax");
  PROTECTED("mov %%rax, %%cr0");
  PROTECTED("mov %%cr2, %%rax");
  PROTECTED("mov %%rax, %%cr3");
  PROTECTED("mov %%cr4, %%r9");
  PROTECTED("mov %%cr8, %%rax");
  PROTECTED("mov %%db0, %%rax");
  PROTECTED("mov %%rax, %%db7");
  EXPECT(SIGSEGV, 13, 14 << 3 | 2, "int $14");
  EXPECT(SIGSEGV, 13, 8 << 3 | 2, "int $8");
  EXPECT(SIGSEGV, 13, 0xfe << 3 | 2, "int $0xfe");
  INVALID("clac");
  INVALID("stac");
  INVALID("monitor");
  INVALID("mwait");
  // Nobody's instruction stays nobody's.
  INVALID(".byte 0xd6");
  INVALID(".byte 0x06");
}

// With permission the same instructions work: port 0x80 is there on every PC and nobody minds.
void allowed_ports() {
  if (ioperm(0x80, 1, 1) != 0) {
    puts("note: no permission for ports, not checked");
    return;
  }
  asm volatile("outb %%al, $0x80" ::"a"(0x55));
  asm volatile("outb %%al, %%dx" ::"a"(0x56), "d"(0x80));
  PROTECTED("outw %%ax, $0x80");
  PROTECTED("outb %%al, $0x81");
  REQUIRE_OK(ioperm(0x80, 1, 0));
  PROTECTED("outb %%al, $0x80");
  REQUIRE_OK(iopl(3));
  asm volatile("outb %%al, $0x80\n\toutb %%al, $0xed" ::"a"(0x57));
  asm volatile("cli\n\tsti"); // Linux takes them for nothing then
  REQUIRE_OK(iopl(0));
  PROTECTED("cli");
}

void tables() {
  struct [[gnu::packed]] {
    std::uint16_t limit;
    std::uint64_t base;
  } table{};
  static volatile std::uint16_t selector = 0xffff;
  std::uint64_t word = 0;
  asm volatile("smsw %0" : "=r"(word));
  REQUIRE(word & 1);
  unsigned a, b, c = 0, d;
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d) || !(c & 1u << 2)) {
    puts("note: no UMIP, sgdt and sidt not checked");
    return;
  }
  asm volatile("sgdt %0" : "=m"(table)); // Documentation of Linux's umip.c: these two addresses, and no limit
  REQUIRE_EQ(table.base, 0xfffffffffffe0000);
  asm volatile("sidt %0" : "=m"(table));
  REQUIRE_EQ(table.base, 0xffffffffffff0000);
  REQUIRE_EQ(table.limit, 0);
  asm volatile("sldt %0" : "=m"(selector)); // relative to RIP
  REQUIRE_EQ(selector, 0);
  selector = 0;
  asm volatile("str %0" : "=m"(selector));
  REQUIRE_EQ(selector, 0x40);
}

std::uint64_t flags() {
  std::uint64_t value;
  asm volatile("pushfq\n\tpopq %0" : "=r"(value));
  return value;
}
void set_flags(std::uint64_t value) {
  asm volatile("subq $128, %%rsp\n\tpushq %0\n\tpopfq\n\taddq $128, %%rsp" ::"r"(value) : "memory", "cc");
}
void set_low_flags(std::uint16_t value) {
  asm volatile("subq $128, %%rsp\n\tpushw %0\n\tpopfw\n\taddq $128, %%rsp" ::"r"(value) : "memory", "cc");
}

constexpr std::uint64_t kAlways = 0x202, kArithmetic = 0x8d5, kDirection = 0x400, kPrivilege = 0x3000,
                        kNested = 0x4000, kResume = 0x10000, kAlignment = 0x40000, kIdentification = 0x200000;

volatile sig_atomic_t ticks;

void flag_by_flag() {
  signal(SIGALRM, [](int) { ticks = ticks + 1; });
  for (const std::uint64_t value :
       {std::uint64_t{0}, kArithmetic, std::uint64_t{0x1}, kDirection, kPrivilege, kNested, kResume,
        kIdentification, std::uint64_t{0x1a8000}, kNested | kIdentification | kArithmetic}) {
    set_flags(value);
    asm volatile("" ::: "memory");
    std::uint64_t seen = flags();
    set_flags(kAlways);
    const auto stays = kArithmetic | kDirection | kNested | kIdentification;
    seen &= ~(value & kArithmetic ? 0 : kArithmetic); // the compiler's own code comes in between
    if ((seen & ~kArithmetic) != (kAlways | (value & stays & ~kArithmetic)))
      check::fail(__FILE__, __LINE__, "flags %#lx read back as %#lx", value, seen);
  }
  set_low_flags(0);
  REQUIRE_EQ(flags() & 0x7200, 0x200);
  set_flags(kAlways | kIdentification);
  set_low_flags(0x202);
  REQUIRE(flags() & kIdentification);
  set_flags(kAlways);
  // Interrupts stay on whatever a program says.
  ticks = 0;
  const itimerval every{{0, 10000}, {0, 10000}};
  REQUIRE_OK(setitimer(ITIMER_REAL, &every, nullptr));
  set_flags(0);
  for (const auto end = check::now() + 5; ticks < 5 && check::now() < end;)
    set_flags(2);
  const itimerval off{};
  REQUIRE_OK(setitimer(ITIMER_REAL, &off, nullptr));
  REQUIRE(ticks >= 5);
}

// A task that sets NT and waits; others must not notice.
void nested_task() {
  int ends[2];
  REQUIRE_OK(pipe(ends));
  const pid_t child = fork();
  REQUIRE_OK(child);
  if (child == 0) {
    const auto end = check::now() + 0.5;
    while (check::now() < end) {
      if (flags() & kNested)
        _exit(9);
      sched_yield();
      usleep(1000);
      if (write(ends[1], "x", 1) != 1)
        _exit(8);
    }
    _exit(0);
  }
  close(ends[1]);
  char byte;
  long count = 0;
  set_flags(kAlways | kNested | kIdentification);
  while (read(ends[0], &byte, 1) == 1) {
    count = count + 1;
    set_flags(kAlways | kNested | kIdentification);
  }
  set_flags(kAlways);
  int status = 0;
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  REQUIRE_EXIT(status, 0);
  REQUIRE(count > 2);
}

// The same with code that nobody could look at before it ran: it harms nobody but its own process.
void nested_task_of_a_compiler() {
  static const unsigned char code[] = {0x57, 0x9d, 0xc3}; // push %rdi; popfq; ret
  auto* page = static_cast<unsigned char*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  REQUIRE(page != MAP_FAILED);
  memcpy(page, code, sizeof code);
  const auto set = reinterpret_cast<void (*)(std::uint64_t)>(page);
  const auto end = check::now() + 0.3;
  while (check::now() < end) {
    set(kAlways | kNested);
    usleep(1000);
  }
  set_flags(kAlways);
}

void returns() {
  // iretq and lretq as jumps, to the selectors that the program has. (The branches, never taken, tell whoever
  // follows the code where it goes on.)
  static volatile std::uint64_t reached = 0; // not on the stack, which moves
  std::uint64_t stack_before, stack_after;
  asm volatile("mov %%rsp, %1\n\ttest %%rsp, %%rsp\n\tjz 1f\n\tsubq $128, %%rsp\n\tmov %%rsp, %%rax\n\tmov "
               "%%ss, %%ecx\n\tpushq "
               "%%rcx\n\tpushq %%rax\n\t"
               "pushq $0x4\n\tmov %%cs, %%ecx\n\tpushq %%rcx\n\tlea 1f(%%rip), %%rcx\n\tpushq "
               "%%rcx\n\tiretq\n\tud2\n\t"
               "1: movq $1, %0\n\taddq $128, %%rsp\n\tmov %%rsp, %2"
               : "+m"(reached), "=&r"(stack_before), "=&r"(stack_after)::"rax", "rcx", "memory", "cc");
  REQUIRE_EQ(reached, 1);
  REQUIRE_EQ(stack_before, stack_after);
  REQUIRE(flags() & 0x200);
  for (const std::uint64_t selector : {std::uint64_t{0x33}, std::uint64_t{0}}) {
    std::uint64_t code = selector;
    if (code == 0)
      asm volatile("xor %0, %0\n\tmov %%cs, %0" : "=&r"(code));
    asm volatile("test %%rsp, %%rsp\n\tjz 1f\n\tsubq $128, %%rsp\n\tpushq %1\n\tlea 1f(%%rip), "
                 "%%rcx\n\tpushq %%rcx\n\tlretq\n\tud2\n\t1: "
                 "incq %0\n\t"
                 "addq $128, %%rsp"
                 : "+m"(reached)
                 : "r"(code)
                 : "rcx", "memory", "cc");
  }
  REQUIRE_EQ(reached, 3);
  REQUIRE_EQ(getpid(), syscall(SYS_getpid));
  EXPECT(SIGSEGV, 13, 0x8, "lretq", "pushq $0x8\n\tpushq $0\n\t");
}

void gs() {
  // Either it works or it is refused.
  static std::uint64_t place = 0x1122334455667788;
  if (syscall(SYS_arch_prctl, ARCH_SET_GS, &place) == 0) {
    std::uint64_t value = 0, base = 0;
    asm volatile("movq %%gs:0, %0" : "=r"(value));
    REQUIRE_EQ(value, place);
    REQUIRE_OK(syscall(SYS_arch_prctl, ARCH_GET_GS, &base));
    REQUIRE_EQ(base, &place);
    REQUIRE_OK(syscall(SYS_arch_prctl, ARCH_SET_GS, 0));
  } else {
    REQUIRE_EQ(errno, EINVAL);
  }
  // Its base is 0 now: a place like any other, and nothing at 0x28.
  std::uint64_t value = 0;
  asm volatile("movq %%gs:(%1), %0" : "=r"(value) : "r"(&place));
  REQUIRE_EQ(value, place);
  last.signal = 0;
  if (sigsetjmp(back, 1) == 0) {
    asm volatile("movq %%gs:0x28, %0" : "=r"(value));
    check::fail(__FILE__, __LINE__, "gs:0x28 can be read");
  }
  REQUIRE_EQ(last.signal, SIGSEGV);
  REQUIRE_EQ(last.address, 0x28);
  asm volatile("xor %%eax, %%eax\n\tmov %%eax, %%gs\n\tpushq $0\n\tpop %%gs" ::: "rax");
  EXPECT(SIGSEGV, 13, 0x8, "mov %%eax, %%gs", "movl $0x8, %%eax\n\t");
  // A kernel with FSGSBASE lets programs do this, one without does not.
  if (sigsetjmp(back, 1) == 0) {
    asm volatile("rdgsbase %0" : "=r"(value));
    REQUIRE_EQ(value, 0);
    asm volatile("wrgsbase %0" ::"r"(value));
  } else {
    REQUIRE_EQ(last.signal, SIGILL);
    REQUIRE(!(getauxval(AT_HWCAP2) & 2));
  }
  REQUIRE_EQ(getpid(), syscall(SYS_getpid));
}

void counter_prctl() {
  // RDTSC that faults works or is refused.
  REQUIRE_KILLED(check::in_child([] {
                   signal(SIGSEGV, SIG_DFL);
                   if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV) != 0)
                     raise(SIGSEGV);
                   unsigned low, high;
                   asm volatile("rdtsc" : "=a"(low), "=d"(high));
                 }),
                 SIGSEGV);
}

void unknown_calls() {
  for (const long number : {500L, 508L, 509L, 510L, 511L, 512L, 0x40000000L})
    REQUIRE_ERRNO(syscall(number), ENOSYS);
}

} // namespace

// `refused`: only what must hold where it cannot have its effect, which not every build machine has either.
int main(int count, char**) {
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  action.sa_sigaction = on_fault;
  for (const int signal : {SIGSEGV, SIGILL, SIGBUS, SIGFPE})
    REQUIRE_OK(sigaction(signal, &action, nullptr));
  if (count > 1) {
    counter_prctl();
    return 0;
  }
  privileged();
  allowed_ports();
  tables();
  flag_by_flag();
  nested_task();
  nested_task_of_a_compiler();
  returns();
  gs();
  unknown_calls();
}
