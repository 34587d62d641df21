// SPDX-License-Identifier: GPL-2.0-only
// Signals: handlers, masks, queueing, nesting, the alternate stack, restarted and interrupted calls, threads,
// values, waiting for signals, and what the handler is told about the interrupted program.
#include "check.hpp"

#include <atomic>
#include <csetjmp>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <thread>
#include <ucontext.h>
#include <vector>

namespace {

void handle(int signal, void (*handler)(int, siginfo_t*, void*), int flags = 0) {
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO | flags;
  action.sa_sigaction = handler;
  REQUIRE_OK(sigaction(signal, &action, nullptr));
}

volatile sig_atomic_t count, depth, deepest, last_signal, last_code, last_pid;
void* volatile last_value;

void remember(int signal, siginfo_t* info, void*) {
  count = count + 1;
  last_signal = signal;
  last_code = info->si_code;
  last_pid = info->si_pid;
  last_value = info->si_value.sival_ptr;
}

void origins() {
  handle(SIGUSR1, remember);
  count = 0;
  for (int i = 1; i <= 100; ++i) {
    REQUIRE_OK(raise(SIGUSR1));
    REQUIRE_EQ(count, i);
  }
  REQUIRE_EQ(last_code, SI_TKILL);
  REQUIRE_OK(kill(getpid(), SIGUSR1));
  REQUIRE_EQ(count, 101);
  REQUIRE_EQ(last_code, SI_USER);
  REQUIRE_EQ(last_pid, getpid());
  sigval value{};
  value.sival_ptr = reinterpret_cast<void*>(0x123456789abcdef0);
  REQUIRE_OK(sigqueue(getpid(), SIGUSR1, value));
  REQUIRE_EQ(count, 102);
  REQUIRE_EQ(last_code, SI_QUEUE);
  REQUIRE(last_value == value.sival_ptr);
}

void mask_and_queue() {
  const int realtime = SIGRTMIN + 3;
  static int values[16];
  static volatile int received;
  received = 0;
  handle(realtime, [](int, siginfo_t* info, void*) {
    values[received] = info->si_value.sival_int;
    received = received + 1;
  });
  handle(SIGUSR2, remember);
  sigset_t set, old, pending;
  sigemptyset(&set);
  sigaddset(&set, realtime);
  sigaddset(&set, SIGUSR2);
  REQUIRE_OK(sigprocmask(SIG_BLOCK, &set, &old));
  for (int i = 0; i < 8; ++i) {
    sigval value{};
    value.sival_int = i * 11;
    REQUIRE_OK(sigqueue(getpid(), realtime, value));
    raise(SIGUSR2);
  }
  count = 0;
  sigpending(&pending);
  REQUIRE(sigismember(&pending, realtime) && sigismember(&pending, SIGUSR2));
  REQUIRE_EQ(received, 0);
  REQUIRE_OK(sigprocmask(SIG_SETMASK, &old, nullptr));
  REQUIRE_EQ(received, 8); // real-time signals queue, in order
  for (int i = 0; i < 8; ++i)
    REQUIRE_EQ(values[i], i * 11);
  REQUIRE_EQ(count, 1); // ordinary ones do not
}

void nested() {
  // Five signals, each raised from the handler of the one before.
  static const int chain[] = {SIGUSR1, SIGUSR2, SIGHUP, SIGTERM, SIGALRM};
  depth = deepest = 0;
  for (const int signal : chain)
    handle(signal, [](int, siginfo_t*, void*) {
      depth = depth + 1;
      if (depth > deepest)
        deepest = depth;
      if (depth < 5)
        raise(chain[depth]);
      depth = depth - 1;
    });
  raise(SIGUSR1);
  REQUIRE_EQ(deepest, 5);
  REQUIRE_EQ(depth, 0);
  // The same signal nests only with SA_NODEFER.
  static volatile int level, most;
  level = most = 0;
  const auto recursive = [](int, siginfo_t*, void*) {
    level = level + 1;
    if (level > most)
      most = level;
    if (level < 20 && most < 20)
      raise(SIGUSR1);
    level = level - 1;
  };
  handle(SIGUSR1, recursive, SA_NODEFER);
  raise(SIGUSR1);
  REQUIRE_EQ(most, 20);
  // SA_RESETHAND works once.
  handle(SIGUSR1, remember, SA_RESETHAND);
  raise(SIGUSR1);
  struct sigaction now {};
  sigaction(SIGUSR1, nullptr, &now);
  REQUIRE(now.sa_handler == SIG_DFL);
  // sa_mask blocks another signal while the handler runs.
  static volatile int overlapped;
  overlapped = 0;
  struct sigaction masked {};
  masked.sa_handler = [](int) {
    raise(SIGUSR2);
    if (count != 0)
      overlapped = 1;
  };
  sigaddset(&masked.sa_mask, SIGUSR2);
  sigaction(SIGUSR1, &masked, nullptr);
  handle(SIGUSR2, remember);
  count = 0;
  raise(SIGUSR1);
  REQUIRE_EQ(overlapped, 0);
  REQUIRE_EQ(count, 1);
}

void alternate_stack() {
  static char stack[65536];
  static char* volatile where;
  static volatile int flags_inside;
  const stack_t alternate{stack, 0, sizeof stack};
  REQUIRE_OK(sigaltstack(&alternate, nullptr));
  const auto look = [](int, siginfo_t*, void*) {
    char here;
    where = &here;
    stack_t now{};
    sigaltstack(nullptr, &now);
    flags_inside = now.ss_flags;
  };
  handle(SIGUSR1, look, SA_ONSTACK);
  for (int i = 0; i < 50; ++i) {
    raise(SIGUSR1);
    REQUIRE(where >= stack && where < stack + sizeof stack);
    REQUIRE_EQ(flags_inside, SS_ONSTACK);
  }
  handle(SIGUSR1, look);
  raise(SIGUSR1);
  REQUIRE(where < stack || where >= stack + sizeof stack);
  REQUIRE_EQ(flags_inside, 0);
  const stack_t off{nullptr, SS_DISABLE, 0};
  REQUIRE_OK(sigaltstack(&off, nullptr));
}

template <typename Call> void interrupt_after(long milliseconds, Call&& call) {
  const itimerval soon{{0, 0}, {milliseconds / 1000, milliseconds % 1000 * 1000}};
  count = 0;
  REQUIRE_OK(setitimer(ITIMER_REAL, &soon, nullptr));
  call();
  REQUIRE_EQ(count, 1);
}

void interrupted_and_restarted() {
  int ends[2];
  REQUIRE_OK(pipe(ends));
  char byte;
  // Without SA_RESTART a blocking call ends with EINTR.
  handle(SIGALRM, remember);
  interrupt_after(20, [&] { REQUIRE_ERRNO(read(ends[0], &byte, 1), EINTR); });
  interrupt_after(20, [&] {
    const timespec long_time{30, 0};
    timespec left{};
    REQUIRE_ERRNO(nanosleep(&long_time, &left), EINTR);
    REQUIRE(left.tv_sec >= 20 && left.tv_sec <= 29);
  });
  interrupt_after(20, [&] { REQUIRE_ERRNO(pause(), EINTR); });
  interrupt_after(20, [&] { REQUIRE_ERRNO(poll(nullptr, 0, -1), EINTR); });
  const pid_t sleeper = fork();
  if (sleeper == 0) {
    pause();
    _exit(0);
  }
  interrupt_after(20, [&] { REQUIRE_ERRNO(waitpid(sleeper, nullptr, 0), EINTR); });

  // With it, read and wait go on; poll, pause and nanosleep still end (signal(7)).
  handle(SIGALRM, remember, SA_RESTART);
  std::thread writer([&] {
    check::sleep_ms(120);
    REQUIRE_EQ(write(ends[1], "r", 1), 1);
  });
  interrupt_after(30, [&] { REQUIRE_EQ(read(ends[0], &byte, 1), 1); });
  REQUIRE_EQ(byte, 'r');
  writer.join();
  std::thread killer([&] {
    check::sleep_ms(120);
    kill(sleeper, SIGKILL);
  });
  int status = 0;
  interrupt_after(30, [&] { REQUIRE_EQ(waitpid(sleeper, &status, 0), sleeper); });
  REQUIRE_KILLED(status, SIGKILL);
  killer.join();
  interrupt_after(20, [&] { REQUIRE_ERRNO(poll(nullptr, 0, -1), EINTR); });
  interrupt_after(20, [&] {
    const timespec long_time{30, 0};
    REQUIRE_ERRNO(nanosleep(&long_time, nullptr), EINTR);
  });

  // A stopped and continued process restarts its call, with the time already slept counted (restart_syscall).
  const pid_t napper = fork();
  if (napper == 0) {
    const double start = check::now();
    const timespec nap{0, 300000000};
    if (nanosleep(&nap, nullptr) != 0)
      _exit(1);
    const pollfd none{ends[0], POLLIN, 0};
    if (poll(const_cast<pollfd*>(&none), 1, 200) != 0)
      _exit(2);
    _exit(check::now() - start >= 0.499 ? 0 : 3);
  }
  for (int i = 0; i < 5; ++i) {
    check::sleep_ms(60);
    kill(napper, SIGSTOP);
    REQUIRE_EQ(waitpid(napper, &status, WUNTRACED), napper);
    if (!WIFSTOPPED(status))
      break;
    check::sleep_ms(10);
    kill(napper, SIGCONT);
  }
  if (WIFSTOPPED(status))
    REQUIRE_EQ(waitpid(napper, &status, 0), napper);
  REQUIRE_EXIT(status, 0);
  close(ends[0]);
  close(ends[1]);
}

void waiting_for_signals() {
  sigset_t set, none;
  sigemptyset(&none);
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigaddset(&set, SIGRTMIN);
  REQUIRE_EQ(pthread_sigmask(SIG_BLOCK, &set, nullptr), 0);
  const timespec brief{0, 20000000};
  siginfo_t info{};
  REQUIRE_ERRNO(sigtimedwait(&set, &info, &brief), EAGAIN);
  sigval value{};
  value.sival_int = 77;
  REQUIRE_OK(sigqueue(getpid(), SIGRTMIN, value));
  REQUIRE_EQ(sigwaitinfo(&set, &info), SIGRTMIN);
  REQUIRE_EQ(info.si_value.sival_int, 77);

  const int fd = signalfd(-1, &set, SFD_NONBLOCK);
  REQUIRE_OK(fd);
  signalfd_siginfo record{};
  REQUIRE_ERRNO(read(fd, &record, sizeof record), EAGAIN);
  value.sival_int = 88;
  REQUIRE_OK(sigqueue(getpid(), SIGUSR1, value));
  pollfd wait{fd, POLLIN, 0};
  REQUIRE_EQ(poll(&wait, 1, 1000), 1);
  REQUIRE_EQ(read(fd, &record, sizeof record), sizeof record);
  REQUIRE_EQ(record.ssi_signo, SIGUSR1);
  REQUIRE_EQ(record.ssi_int, 88);
  REQUIRE_EQ(record.ssi_pid, getpid());
  close(fd);

  // sigsuspend opens the mask for its own time only; so do ppoll and pselect.
  handle(SIGUSR1, remember);
  count = 0;
  REQUIRE_OK(raise(SIGUSR1));
  REQUIRE_EQ(count, 0);
  REQUIRE_ERRNO(sigsuspend(&none), EINTR);
  REQUIRE_EQ(count, 1);
  REQUIRE_OK(raise(SIGUSR1));
  REQUIRE_ERRNO(ppoll(nullptr, 0, nullptr, &none), EINTR);
  REQUIRE_EQ(count, 2);
  REQUIRE_OK(raise(SIGUSR1));
  REQUIRE_ERRNO(pselect(0, nullptr, nullptr, nullptr, nullptr, &none), EINTR);
  REQUIRE_EQ(count, 3);
  sigset_t now;
  pthread_sigmask(SIG_SETMASK, nullptr, &now);
  REQUIRE(sigismember(&now, SIGUSR1));
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

void to_threads() {
  // A signal for one thread runs in that thread, blocked in the kernel or busy outside of it.
  static std::atomic<long> hits[4];
  static std::atomic<pid_t> ids[4];
  static thread_local int number = -1;
  static std::atomic<bool> stop;
  stop = false;
  handle(
      SIGUSR2, [](int, siginfo_t*, void*) { ++hits[number]; }, SA_RESTART);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([i] {
      number = i;
      ids[i] = static_cast<pid_t>(syscall(SYS_gettid));
      while (!stop)
        if (i % 2 == 0) {
          check::sleep_ms(1);
        } else {
          for (int spin = 0; spin < 1000; ++spin)
            __builtin_ia32_pause();
        }
    });
  for (int i = 0; i < 4; ++i)
    while (ids[i] == 0)
      sched_yield();
  for (long round = 1; round <= 50; ++round)
    for (int i = 0; i < 4; ++i) {
      if (round % 2)
        REQUIRE_EQ(pthread_kill(threads[static_cast<std::size_t>(i)].native_handle(), SIGUSR2), 0);
      else
        REQUIRE_OK(syscall(SYS_tgkill, getpid(), ids[i].load(), SIGUSR2));
      const double start = check::now();
      while (hits[i] != round) {
        REQUIRE(check::now() - start < 20);
        sched_yield();
      }
    }
  stop = true;
  for (auto& thread : threads)
    thread.join();
  // pthread_join returns when the thread has cleared its number, a moment before the kernel has forgotten it.
  for (int i = 0; i < 2000 && syscall(SYS_tgkill, getpid(), ids[0].load(), 0) == 0; ++i)
    check::sleep_ms(1);
  REQUIRE_ERRNO(syscall(SYS_tgkill, getpid(), ids[0].load(), SIGUSR2), ESRCH);
}

void what_the_handler_sees() {
  // The frame is that of any process: user selectors, and registers which the handler may change.
  static volatile unsigned long selectors;
  handle(SIGUSR1, [](int, siginfo_t*, void* context) {
    selectors = static_cast<unsigned long>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_CSGSFS]);
  });
  raise(SIGUSR1);
  REQUIRE_EQ(selectors & 0xffff, 0x33);       // __USER_CS
  REQUIRE_EQ(selectors >> 48 & 0xffff, 0x2b); // __USER_DS, as SS
  handle(SIGILL, [](int, siginfo_t*, void* context) {
    auto* registers = static_cast<ucontext_t*>(context)->uc_mcontext.gregs;
    registers[REG_RIP] += 2; // over ud2
    registers[REG_RBX] = 0x1111222233334444;
    registers[REG_R15] = registers[REG_R14] + 1;
  });
  unsigned long b = 0, r15 = 0;
  asm volatile("movq $41, %%r14\n\tud2\n\tmovq %%rbx, %0\n\tmovq %%r15, %1"
               : "=r"(b), "=r"(r15)
               :
               : "rbx", "r14", "r15", "memory");
  REQUIRE_EQ(b, 0x1111222233334444);
  REQUIRE_EQ(r15, 42);
  signal(SIGILL, SIG_DFL);

  static sigjmp_buf jump;
  handle(SIGUSR1, [](int, siginfo_t*, void*) { siglongjmp(jump, 5); });
  for (int i = 0; i < 20; ++i) {
    const int from = sigsetjmp(jump, 1);
    if (from == 0) {
      raise(SIGUSR1);
      check::fail(__FILE__, __LINE__, "the handler returned");
    }
    REQUIRE_EQ(from, 5);
  }
  sigset_t now;
  sigprocmask(SIG_SETMASK, nullptr, &now);
  REQUIRE(!sigismember(&now, SIGUSR1));
}

void contexts() {
  // Switching between contexts of one's own (swapcontext goes through the signal mask calls).
  static ucontext_t main_context, other;
  static int steps;
  static char stack[65536];
  getcontext(&other);
  other.uc_stack.ss_sp = stack;
  other.uc_stack.ss_size = sizeof stack;
  other.uc_link = &main_context;
  makecontext(
      &other,
      +[] {
        for (int i = 0; i < 100; ++i) {
          ++steps;
          swapcontext(&other, &main_context);
        }
      },
      0);
  for (int i = 1; i <= 100; ++i) {
    swapcontext(&main_context, &other);
    REQUIRE_EQ(steps, i);
  }
}

void storm() {
  // Two processes throw signals at each other; every one of the queued kind arrives.
  static volatile int received;
  received = 0;
  handle(SIGRTMIN + 1, [](int, siginfo_t*, void*) { received = received + 1; });
  sigset_t set, old;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 1);
  sigprocmask(SIG_BLOCK, &set, &old);
  const pid_t parent = getpid(), child = fork();
  REQUIRE(child >= 0);
  const pid_t target = child == 0 ? parent : child;
  for (int i = 0; i < 1000; ++i)
    while (sigqueue(target, SIGRTMIN + 1, sigval{}) != 0) {
      if (errno != EAGAIN)
        check::fail(__FILE__, __LINE__, "sigqueue: %s", strerror(errno));
      sigprocmask(SIG_UNBLOCK, &set, nullptr);
      sched_yield();
      sigprocmask(SIG_BLOCK, &set, nullptr);
    }
  while (received < 1000)
    sigsuspend(&old);
  if (child == 0)
    _exit(received == 1000 ? 0 : 1);
  int status;
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  REQUIRE_EXIT(status, 0);
  sigprocmask(SIG_SETMASK, &old, nullptr);
}

} // namespace

int main() {
  origins();
  mask_and_queue();
  nested();
  alternate_stack();
  interrupted_and_restarted();
  waiting_for_signals();
  to_threads();
  what_the_handler_sees();
  contexts();
  storm();
}
