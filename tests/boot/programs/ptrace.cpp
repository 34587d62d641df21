// SPDX-License-Identifier: GPL-2.0-only
// ptrace, as a debugger uses it: registers, memory, single steps (over system calls too), system-call stops,
// int3 and hardware breakpoints, events, floating-point state, attaching to a running process.
#include "check.hpp"

#include <atomic>
#include <cpuid.h>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <elf.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <thread>

namespace {

extern "C" {
volatile long watched = 11;
[[gnu::noinline]] long breakpoint_here(long number) {
  return number * 3 + watched;
}
extern char step_begin[], step_loop[], step_end[];
}

long trace(int request, pid_t child, std::uintptr_t address = 0, std::uintptr_t data = 0) {
  errno = 0;
  return ptrace(static_cast<__ptrace_request>(request), child, address, data);
}

user_regs_struct registers_of(pid_t child) {
  user_regs_struct registers{};
  REQUIRE_OK(trace(PTRACE_GETREGS, child, 0, reinterpret_cast<std::uintptr_t>(&registers)));
  return registers;
}

void set_registers(pid_t child, const user_regs_struct& registers) {
  REQUIRE_OK(trace(PTRACE_SETREGS, child, 0, reinterpret_cast<std::uintptr_t>(&registers)));
}

int wait_stop(pid_t child) {
  int status = 0;
  REQUIRE_EQ(waitpid(child, &status, __WALL), child);
  if (!WIFSTOPPED(status))
    check::fail(__FILE__, __LINE__, "wanted a stop: %s", check::describe(status).c_str());
  return status;
}

void wait_signal(pid_t child, int signal) {
  REQUIRE_EQ(WSTOPSIG(wait_stop(child)), signal);
}

template <typename Body> pid_t traced(Body&& body) {
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    REQUIRE_OK(trace(PTRACE_TRACEME, 0));
    raise(SIGSTOP);
    body();
    _exit(0);
  }
  wait_signal(child, SIGSTOP);
  REQUIRE_OK(trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD));
  return child;
}

void finish(pid_t child, int wanted) {
  int status = 0;
  REQUIRE_OK(trace(PTRACE_CONT, child));
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  REQUIRE_EXIT(status, wanted);
}

void breakpoint() {
  const pid_t child = traced([] { _exit(static_cast<int>(breakpoint_here(10) + breakpoint_here(20))); });
  const auto address = reinterpret_cast<std::uintptr_t>(&breakpoint_here);
  const auto data = reinterpret_cast<std::uintptr_t>(&watched);
  const long word = trace(PTRACE_PEEKTEXT, child, address);
  REQUIRE_EQ(errno, 0);
  REQUIRE_EQ(memcmp(&word, reinterpret_cast<void*>(address), sizeof word), 0);
  REQUIRE_OK(trace(PTRACE_POKETEXT, child, address, static_cast<std::uintptr_t>((word & ~0xffl) | 0xcc)));
  for (const long argument : {10, 20}) {
    REQUIRE_OK(trace(PTRACE_CONT, child));
    wait_signal(child, SIGTRAP);
    siginfo_t info{};
    REQUIRE_OK(trace(PTRACE_GETSIGINFO, child, 0, reinterpret_cast<std::uintptr_t>(&info)));
    REQUIRE_EQ(info.si_code, SI_KERNEL);
    auto registers = registers_of(child);
    REQUIRE_EQ(registers.rip, address + 1);
    REQUIRE_EQ(registers.rdi, argument);
    REQUIRE_EQ(registers.cs, 0x33);
    REQUIRE_EQ(registers.ss, 0x2b);
    // Step over it as gdb does: the original instruction back, one step, the breakpoint back.
    registers.rip = address;
    registers.rdi = static_cast<unsigned long long>(argument + 1);
    set_registers(child, registers);
    if (argument == 20) {
      REQUIRE_EQ(trace(PTRACE_PEEKDATA, child, data), 11);
      REQUIRE_OK(trace(PTRACE_POKEDATA, child, data, 12));
    }
    REQUIRE_OK(trace(PTRACE_POKETEXT, child, address, static_cast<std::uintptr_t>(word)));
    REQUIRE_OK(trace(PTRACE_SINGLESTEP, child));
    wait_signal(child, SIGTRAP);
    REQUIRE(registers_of(child).rip > address && registers_of(child).rip < address + 16);
    REQUIRE_OK(trace(PTRACE_POKETEXT, child, address, static_cast<std::uintptr_t>((word & ~0xffl) | 0xcc)));
  }
  finish(child, 11 * 3 + 11 + 21 * 3 + 12); // the first call read the old value, the second the new
}

void single_steps() {
  const pid_t child = traced([] {
    asm volatile("step_begin:\n\tmovl $5, %%ecx\n"
                 "step_loop:\n\tdecl %%ecx\n\tjnz step_loop\n\t"
                 "pushq %%rcx\n\tpopq %%rdx\n"
                 "step_end:\n\tnop" ::
                     : "ecx", "rdx", "cc", "memory");
    _exit(9);
  });
  auto registers = registers_of(child);
  // Run to the beginning by stepping (this also steps out of raise's system call).
  long before = 0;
  while (registers.rip != reinterpret_cast<std::uintptr_t>(step_begin)) {
    REQUIRE_OK(trace(PTRACE_SINGLESTEP, child));
    wait_signal(child, SIGTRAP);
    registers = registers_of(child);
    REQUIRE(++before < 100000);
  }
  long steps = 0;
  while (registers.rip != reinterpret_cast<std::uintptr_t>(step_end)) {
    REQUIRE_OK(trace(PTRACE_SINGLESTEP, child));
    wait_signal(child, SIGTRAP);
    siginfo_t info{};
    REQUIRE_OK(trace(PTRACE_GETSIGINFO, child, 0, reinterpret_cast<std::uintptr_t>(&info)));
    REQUIRE_EQ(info.si_code, TRAP_TRACE);
    registers = registers_of(child);
    REQUIRE(++steps < 100);
  }
  REQUIRE_EQ(steps, 1 + 5 * 2 + 2);
  REQUIRE_EQ(registers.eflags & 0x100, 0); // the tracer's flag is not the program's
  finish(child, 9);
}

void step_over_system_calls() {
  const pid_t child = traced([] {
    long sum = 0;
    for (int i = 0; i < 5; ++i) {
      long result;
      asm volatile("syscall" : "=a"(result) : "a"(SYS_getppid) : "rcx", "r11", "memory");
      sum += result == getppid();
    }
    timespec nothing{0, 1000};
    syscall(SYS_nanosleep, &nothing, nullptr);
    _exit(sum == 5 ? 17 : 18);
  });
  int status = 0;
  long steps = 0;
  while (true) {
    REQUIRE_OK(trace(PTRACE_SINGLESTEP, child));
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    if (!WIFSTOPPED(status))
      break;
    REQUIRE_EQ(WSTOPSIG(status), SIGTRAP);
    REQUIRE(++steps < 100000);
  }
  REQUIRE_EXIT(status, 17);
  REQUIRE(steps > 40);
}

void system_call_stops() {
  const pid_t child = traced([] {
    long result = syscall(SYS_getuid);
    if (result != 4242)
      _exit(1);
    result = syscall(SYS_close, 1000);
    _exit(errno == EBADF ? 21 : 2);
  });
  // Stops come in pairs; the tracer sees number, arguments and result, and may change them.
  bool entry = true, changed = false, closed = false;
  int status = 0;
  long number = 0;
  while (true) {
    REQUIRE_OK(trace(PTRACE_SYSCALL, child));
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    if (!WIFSTOPPED(status))
      break;
    REQUIRE_EQ(WSTOPSIG(status), SIGTRAP | 0x80);
    auto registers = registers_of(child);
    __ptrace_syscall_info info{};
    REQUIRE(trace(PTRACE_GET_SYSCALL_INFO, child, sizeof info, reinterpret_cast<std::uintptr_t>(&info)) > 0);
    REQUIRE_EQ(info.op, entry ? PTRACE_SYSCALL_INFO_ENTRY : PTRACE_SYSCALL_INFO_EXIT);
    if (entry) {
      number = static_cast<long>(registers.orig_rax);
      REQUIRE_EQ(info.entry.nr, number);
      REQUIRE_EQ(static_cast<long>(registers.rax), -ENOSYS);
      if (number == SYS_close && registers.rdi == 1000) {
        closed = true;
        REQUIRE_EQ(info.entry.args[0], 1000);
      }
    } else if (number == SYS_getuid) {
      REQUIRE_EQ(info.exit.rval, getuid());
      registers.rax = 4242;
      set_registers(child, registers);
      changed = true;
    } else if (closed && number == SYS_close) {
      REQUIRE_EQ(info.exit.rval, -EBADF);
      REQUIRE_EQ(info.exit.is_error, 1);
    }
    entry = !entry;
  }
  REQUIRE_EXIT(status, 21);
  REQUIRE(changed && closed);
}

void emulated_call() {
  // The tracer replaces one call by another (-1 skips it).
  const pid_t child = traced([] { _exit(syscall(SYS_getpid) == 77 ? 22 : 23); });
  bool skipped = false;
  int status = 0;
  for (bool entry = true;; entry = !entry) {
    REQUIRE_OK(trace(PTRACE_SYSCALL, child));
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    if (!WIFSTOPPED(status))
      break;
    auto registers = registers_of(child);
    if (entry && registers.orig_rax == SYS_getpid) {
      registers.orig_rax = ~0ull;
      set_registers(child, registers);
      skipped = true;
    } else if (!entry && skipped) {
      registers.rax = 77;
      set_registers(child, registers);
      skipped = false;
    }
  }
  REQUIRE_EXIT(status, 22);
}

void hardware_breakpoints() {
  const pid_t child = traced([] {
    watched = 50;
    watched = watched + 1;
    _exit(static_cast<int>(watched));
  });
  const auto set_debug = [&](int number, std::uintptr_t value) {
    REQUIRE_OK(trace(PTRACE_POKEUSER, child,
                     offsetof(user, u_debugreg) + static_cast<std::size_t>(number) * 8, value));
  };
  set_debug(0, reinterpret_cast<std::uintptr_t>(&watched));
  set_debug(7, 1u | 0x1u << 16 | 0x3u << 18); // DR0: on write, 8 bytes
  for (const long value : {50, 51}) {
    REQUIRE_OK(trace(PTRACE_CONT, child));
    wait_signal(child, SIGTRAP);
    siginfo_t info{};
    REQUIRE_OK(trace(PTRACE_GETSIGINFO, child, 0, reinterpret_cast<std::uintptr_t>(&info)));
    REQUIRE_EQ(info.si_code, TRAP_HWBKPT);
    REQUIRE_EQ(trace(PTRACE_PEEKDATA, child, reinterpret_cast<std::uintptr_t>(&watched)), value);
    REQUIRE_EQ(trace(PTRACE_PEEKUSER, child, offsetof(user, u_debugreg) + 6 * 8) & 1, 1);
  }
  set_debug(7, 0);
  finish(child, 51);

  // One on execution stops before the instruction, and goes on after it.
  const pid_t other = traced([] { _exit(static_cast<int>(breakpoint_here(1))); });
  REQUIRE_OK(trace(PTRACE_POKEUSER, other, offsetof(user, u_debugreg),
                   reinterpret_cast<std::uintptr_t>(&breakpoint_here)));
  REQUIRE_OK(trace(PTRACE_POKEUSER, other, offsetof(user, u_debugreg) + 7 * 8, 1));
  REQUIRE_OK(trace(PTRACE_CONT, other));
  wait_signal(other, SIGTRAP);
  REQUIRE_EQ(registers_of(other).rip, reinterpret_cast<std::uintptr_t>(&breakpoint_here));
  finish(other, 14);

  // One in the kernel's half is refused.
  const pid_t third = traced([] {});
  REQUIRE_ERRNO(trace(PTRACE_POKEUSER, third, offsetof(user, u_debugreg), 0xffffffff81000000), EINVAL);
  finish(third, 0);
}

// Whether Linux uses XSAVE, which not every hypervisor lets its machines have.
bool has_xsave() {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_OSXSAVE);
}

void floating_point() {
  const pid_t child = traced([] {
    unsigned long value[2] = {0x1111, 0x2222};
    asm volatile("movdqu %0, %%xmm5\n\tint3\n\tmovdqu %%xmm5, %0" : "+m"(value) : : "xmm5");
    _exit(value[0] == 0x7777 && value[1] == 0x2222 ? 33 : 34);
  });
  REQUIRE_OK(trace(PTRACE_CONT, child));
  wait_signal(child, SIGTRAP);
  user_fpregs_struct state{};
  REQUIRE_OK(trace(PTRACE_GETFPREGS, child, 0, reinterpret_cast<std::uintptr_t>(&state)));
  REQUIRE_EQ(state.xmm_space[5 * 4], 0x1111);
  REQUIRE_EQ(state.xmm_space[5 * 4 + 2], 0x2222);
  state.xmm_space[5 * 4] = 0x7777;
  REQUIRE_OK(trace(PTRACE_SETFPREGS, child, 0, reinterpret_cast<std::uintptr_t>(&state)));
  alignas(64) static char extended[16384];
  iovec vector{extended, sizeof extended};
  const auto address = reinterpret_cast<std::uintptr_t>(&vector);
  if (has_xsave()) {
    REQUIRE_OK(trace(PTRACE_GETREGSET, child, NT_X86_XSTATE, address));
    REQUIRE(vector.iov_len >= 512 + 64);
  } else {
    REQUIRE_ERRNO(trace(PTRACE_GETREGSET, child, NT_X86_XSTATE, address), ENODEV);
  }
  finish(child, 33);
}

void events_and_signals() {
  const pid_t child = traced([] {
    signal(SIGUSR1, [](int) { _exit(41); });
    const pid_t grandchild = fork();
    if (grandchild == 0)
      _exit(7);
    int status = 0;
    waitpid(grandchild, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 7)
      _exit(1);
    raise(SIGUSR2); // the tracer makes it SIGUSR1
    _exit(2);
  });
  REQUIRE_OK(trace(PTRACE_SETOPTIONS, child, 0, PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL | PTRACE_O_TRACEEXIT));
  REQUIRE_OK(trace(PTRACE_CONT, child));
  REQUIRE_EQ(wait_stop(child) >> 8, SIGTRAP | PTRACE_EVENT_FORK << 8);
  unsigned long grandchild = 0;
  REQUIRE_OK(trace(PTRACE_GETEVENTMSG, child, 0, reinterpret_cast<std::uintptr_t>(&grandchild)));
  wait_signal(static_cast<pid_t>(grandchild), SIGSTOP);
  REQUIRE_OK(trace(PTRACE_DETACH, static_cast<pid_t>(grandchild)));
  REQUIRE_OK(trace(PTRACE_CONT, child));
  int status = wait_stop(child);
  if (WSTOPSIG(status) == SIGCHLD) {
    REQUIRE_OK(trace(PTRACE_CONT, child, 0, SIGCHLD));
    status = wait_stop(child);
  }
  REQUIRE_EQ(WSTOPSIG(status), SIGUSR2);
  REQUIRE_OK(trace(PTRACE_CONT, child, 0, SIGUSR1));
  REQUIRE_EQ(wait_stop(child) >> 8, SIGTRAP | PTRACE_EVENT_EXIT << 8);
  finish(child, 41);
}

void attach() {
  auto* shared = static_cast<std::atomic<long>*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  for (const bool busy : {true, false}) {
    const pid_t child = fork();
    if (child == 0) {
      while (true) {
        ++*shared;
        if (!busy)
          check::sleep_ms(1);
      }
    }
    const long start = shared->load();
    while (shared->load() < start + 5)
      sched_yield();
    REQUIRE_OK(trace(PTRACE_SEIZE, child));
    REQUIRE_OK(trace(PTRACE_INTERRUPT, child));
    REQUIRE_EQ(wait_stop(child) >> 16, PTRACE_EVENT_STOP);
    const long frozen = shared->load();
    check::sleep_ms(20);
    REQUIRE_EQ(shared->load(), frozen);
    const auto registers = registers_of(child);
    REQUIRE(registers.rip < 0x800000000000 && registers.rsp < 0x800000000000 && registers.cs == 0x33);
    REQUIRE_OK(trace(PTRACE_DETACH, child));
    while (shared->load() < frozen + 5)
      sched_yield();
    REQUIRE_OK(trace(PTRACE_ATTACH, child));
    wait_signal(child, SIGSTOP);
    REQUIRE_OK(kill(child, SIGKILL));
    int status = 0;
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    REQUIRE_KILLED(status, SIGKILL);
  }
  munmap(shared, 4096);
}

void inject_call() {
  // The tracer makes the program call a function it never calls, then puts everything back.
  const pid_t child = traced([] { _exit(45); });
  const auto saved = registers_of(child);
  auto registers = saved;
  registers.rip = reinterpret_cast<std::uintptr_t>(&breakpoint_here);
  registers.rdi = 100;
  registers.orig_rax = ~0ull;
  registers.rsp = (saved.rsp - 256) & ~15ull;
  registers.rsp -= 8;
  REQUIRE_OK(trace(PTRACE_POKEDATA, child, registers.rsp, 0)); // the return address: 0, which faults
  set_registers(child, registers);
  REQUIRE_OK(trace(PTRACE_CONT, child));
  wait_signal(child, SIGSEGV);
  registers = registers_of(child);
  REQUIRE_EQ(registers.rip, 0);
  REQUIRE_EQ(registers.rax, 100 * 3 + 11);
  set_registers(child, saved);
  finish(child, 45);

  // A tracer cannot make it run at a kernel address; the program gets a SIGSEGV for it.
  const pid_t other = traced([] {});
  registers = registers_of(other);
  registers.rip = 0xffffffffff000000; // nothing is mapped there, and never executable for a program
  registers.orig_rax = ~0ull;
  set_registers(other, registers);
  REQUIRE_OK(trace(PTRACE_CONT, other));
  wait_signal(other, SIGSEGV);
  REQUIRE_OK(kill(other, SIGKILL));
  int status = 0;
  REQUIRE_EQ(waitpid(other, &status, 0), other);
  REQUIRE_KILLED(status, SIGKILL);
}

} // namespace

int main() {
  breakpoint();
  single_steps();
  step_over_system_calls();
  system_call_stops();
  emulated_call();
  hardware_breakpoints();
  floating_point();
  events_and_signals();
  attach();
  inject_call();
}
