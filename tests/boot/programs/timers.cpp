// SPDX-License-Identifier: GPL-2.0-only
// Timers: setitimer (all three clocks), timer_create in its four ways to notify, timerfd, clock_nanosleep,
// and clocks that never run backwards on any CPU. Lower bounds are exact, upper ones generous: the machine
// may be slow.
#include "check.hpp"

#include <atomic>
#include <csignal>
#include <poll.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <thread>
#include <vector>

namespace {
volatile sig_atomic_t ticks;
volatile int last_value, last_overrun;

void on_tick(int, siginfo_t* info, void*) {
  ticks = ticks + 1;
  last_value = info->si_value.sival_int;
  last_overrun = info->si_overrun;
}

void handle(int signal) {
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  action.sa_sigaction = on_tick;
  REQUIRE_OK(sigaction(signal, &action, nullptr));
}

void interval_timers() {
  handle(SIGALRM);
  ticks = 0;
  const double start = check::now();
  const itimerval every{{0, 10000}, {0, 10000}}, off{};
  REQUIRE_OK(setitimer(ITIMER_REAL, &every, nullptr));
  while (ticks < 20)
    pause();
  REQUIRE(check::now() - start >= 0.199);
  itimerval left{};
  REQUIRE_OK(getitimer(ITIMER_REAL, &left));
  REQUIRE_EQ(left.it_interval.tv_usec, 10000);
  REQUIRE_OK(setitimer(ITIMER_REAL, &off, nullptr));

  // CPU time timers run only while the program does.
  for (const auto& [which, signal] : {std::pair{ITIMER_VIRTUAL, SIGVTALRM}, {ITIMER_PROF, SIGPROF}}) {
    handle(signal);
    ticks = 0;
    REQUIRE_OK(setitimer(which, &every, nullptr));
    check::sleep_ms(50);
    REQUIRE(ticks <= 2);
    timespec cpu_start, cpu_end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_start);
    const double begin = check::now();
    while (ticks < 5)
      REQUIRE(check::now() - begin < 60);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu_end);
    REQUIRE_OK(setitimer(which, &off, nullptr));
    REQUIRE(cpu_end.tv_sec > cpu_start.tv_sec || cpu_end.tv_nsec > cpu_start.tv_nsec);
  }
}

void posix_timers() {
  handle(SIGRTMIN + 2);
  for (const clockid_t clock : {CLOCK_MONOTONIC, CLOCK_REALTIME, CLOCK_BOOTTIME, CLOCK_PROCESS_CPUTIME_ID}) {
    sigevent event{};
    event.sigev_notify = SIGEV_SIGNAL;
    event.sigev_signo = SIGRTMIN + 2;
    event.sigev_value.sival_int = 1234 + clock;
    timer_t timer;
    REQUIRE_OK(timer_create(clock, &event, &timer));
    ticks = 0;
    const itimerspec every{{0, 8000000}, {0, 8000000}};
    REQUIRE_OK(timer_settime(timer, 0, &every, nullptr));
    const double start = check::now();
    while (ticks < 10)
      REQUIRE(check::now() - start < 60);
    REQUIRE_EQ(last_value, 1234 + clock);
    itimerspec left{};
    REQUIRE_OK(timer_gettime(timer, &left));
    REQUIRE_EQ(left.it_interval.tv_nsec, 8000000);
    REQUIRE_OK(timer_delete(timer));
  }

  // Overruns are counted while the signal is blocked.
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGRTMIN + 2);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGRTMIN + 2;
  timer_t timer;
  REQUIRE_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
  const itimerspec fast{{0, 5000000}, {0, 5000000}};
  REQUIRE_OK(timer_settime(timer, 0, &fast, nullptr));
  check::sleep_ms(120);
  ticks = 0;
  sigprocmask(SIG_UNBLOCK, &set, nullptr);
  while (ticks == 0)
    sched_yield();
  REQUIRE_OK(timer_delete(timer));
  REQUIRE(last_overrun >= 15 || ticks > 1);

  // To one thread, and into a new thread.
  static std::atomic<pid_t> seen;
  struct sigaction action {};
  action.sa_handler = [](int) { seen = static_cast<pid_t>(syscall(SYS_gettid)); };
  REQUIRE_OK(sigaction(SIGUSR1, &action, nullptr));
  std::thread([] {
    sigevent own{};
    own.sigev_notify = SIGEV_THREAD_ID;
    own.sigev_signo = SIGUSR1;
    own._sigev_un._tid = static_cast<pid_t>(syscall(SYS_gettid));
    timer_t one;
    REQUIRE_OK(timer_create(CLOCK_MONOTONIC, &own, &one));
    const itimerspec once{{0, 0}, {0, 1000000}};
    REQUIRE_OK(timer_settime(one, 0, &once, nullptr));
    while (seen == 0)
      sched_yield();
    REQUIRE_EQ(seen.load(), syscall(SYS_gettid));
    REQUIRE_OK(timer_delete(one));
  }).join();
  static std::atomic<int> called;
  event = {};
  event.sigev_notify = SIGEV_THREAD;
  event.sigev_value.sival_int = 9;
  event.sigev_notify_function = [](sigval value) { called += value.sival_int; };
  REQUIRE_OK(timer_create(CLOCK_MONOTONIC, &event, &timer));
  const itimerspec once{{0, 0}, {0, 1000000}};
  REQUIRE_OK(timer_settime(timer, 0, &once, nullptr));
  while (called == 0)
    check::sleep_ms(1);
  REQUIRE_EQ(called.load(), 9);
  REQUIRE_OK(timer_delete(timer));
}

void timer_descriptor() {
  const int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
  REQUIRE_OK(fd);
  unsigned long expired = 0;
  REQUIRE_ERRNO(read(fd, &expired, sizeof expired), EAGAIN);
  const itimerspec every{{0, 5000000}, {0, 5000000}};
  REQUIRE_OK(timerfd_settime(fd, 0, &every, nullptr));
  const double start = check::now();
  unsigned long total = 0;
  while (total < 20) {
    pollfd wait{fd, POLLIN, 0};
    REQUIRE_EQ(poll(&wait, 1, 20000), 1);
    REQUIRE_EQ(read(fd, &expired, sizeof expired), 8);
    total += expired;
  }
  REQUIRE(check::now() - start >= 0.0049 * static_cast<double>(total));
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  const itimerspec absolute{{0, 0}, {now.tv_sec - 1, 0}}; // in the past: at once
  REQUIRE_OK(timerfd_settime(fd, TFD_TIMER_ABSTIME, &absolute, nullptr));
  pollfd wait{fd, POLLIN, 0};
  REQUIRE_EQ(poll(&wait, 1, 20000), 1);
  close(fd);
}

void sleeping() {
  timespec start, target;
  clock_gettime(CLOCK_MONOTONIC, &start);
  target = start;
  for (int i = 0; i < 10; ++i) {
    target.tv_nsec += 7000000;
    if (target.tv_nsec >= 1000000000) {
      target.tv_nsec -= 1000000000;
      ++target.tv_sec;
    }
    REQUIRE_EQ(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &target, nullptr), 0);
    timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    REQUIRE(now.tv_sec > target.tv_sec || (now.tv_sec == target.tv_sec && now.tv_nsec >= target.tv_nsec));
  }
  const timespec wrong{0, 1000000000};
  REQUIRE_ERRNO(nanosleep(&wrong, nullptr), EINVAL);
}

void clocks_go_forward() {
  // The vDSO's clock, the kernel's, and the time of other threads on other CPUs.
  std::atomic<long> newest{0};
  std::vector<std::thread> threads;
  for (int number = 0; number < 4; ++number)
    threads.emplace_back([&, number] {
      cpu_set_t set;
      CPU_ZERO(&set);
      CPU_SET(number % static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN)), &set);
      sched_setaffinity(0, sizeof set, &set);
      for (int i = 0; i < 20000; ++i) {
        const long before = newest.load();
        timespec now;
        if (i % 8 == 0)
          syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
        else
          clock_gettime(CLOCK_MONOTONIC, &now);
        const long time = now.tv_sec * 1000000000 + now.tv_nsec;
        REQUIRE(time >= before);
        long expected = before;
        while (expected < time && !newest.compare_exchange_weak(expected, time)) {
        }
      }
    });
  for (auto& thread : threads)
    thread.join();
}

} // namespace

int main() {
  interval_timers();
  posix_timers();
  timer_descriptor();
  sleeping();
  clocks_go_forward();
}
