// SPDX-License-Identifier: GPL-2.0-only
// Processes: fork, vfork, execve, posix_spawn, clone, the wait family, groups and sessions, and many at once.
// Started with an argument it is one of its own children.
#include "check.hpp"

#include <csignal>
#include <fcntl.h>
#include <sched.h>
#include <spawn.h>
#include <string>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <vector>

namespace {

int as_child(int argc, char** argv) {
  const std::string what = argv[1];
  if (what == "exit")
    return atoi(argv[2]);
  if (what == "environment") {
    const char* value = getenv(argv[2]);
    return argc == 4 && value && strcmp(value, argv[3]) == 0 ? 0 : 1;
  }
  if (what == "signal")
    return raise(atoi(argv[2]));
  if (what == "arguments") {
    // Long and odd arguments arrive as they are.
    REQUIRE_EQ(argc, 6);
    REQUIRE(strcmp(argv[2], "two words") == 0);
    REQUIRE(strcmp(argv[3], "") == 0);
    REQUIRE(strcmp(argv[4], "\"quoted\" \\ gr\xc3\xbc\xc3\x9f") == 0);
    REQUIRE_EQ(strlen(argv[5]), 100000);
    REQUIRE(getenv("ONLY") && strcmp(getenv("ONLY"), "this") == 0 && environ[1] == nullptr);
    return 0;
  }
  if (what == "descriptor") {
    char byte = 0;
    REQUIRE_EQ(read(atoi(argv[2]), &byte, 1), 1);
    REQUIRE_EQ(byte, 'x');
    REQUIRE_ERRNO(fcntl(atoi(argv[3]), F_GETFD), EBADF);
    return 0;
  }
  return 99;
}

int wait_of(pid_t child) {
  int status = -1;
  REQUIRE_EQ(waitpid(child, &status, 0), child);
  return status;
}

void fork_copies() {
  int value = 1;
  auto* heap = new int(10);
  auto* shared =
      static_cast<int*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0));
  for (int i = 1; i <= 20; ++i) {
    REQUIRE_EXIT(check::in_child([&] {
                   REQUIRE(getppid() != getpid());
                   value += 100;
                   *heap += 100;
                   ++*shared;
                   _exit(value == 101 && *heap == 110 ? i : 200);
                 }),
                 i);
    REQUIRE_EQ(value, 1);
    REQUIRE_EQ(*heap, 10);
    REQUIRE_EQ(*shared, i);
  }
  delete heap;
  munmap(shared, 4096);
}

void vfork_shares() {
  volatile int seen = 0;
  const pid_t child = vfork();
  REQUIRE(child >= 0);
  if (child == 0) {
    seen = 5;
    _exit(7);
  }
  REQUIRE_EQ(seen, 5); // the parent's memory, and the parent waited
  REQUIRE_EXIT(wait_of(child), 7);

  const pid_t other = vfork();
  if (other == 0) {
    execl("/proc/self/exe", "self", "exit", "23", nullptr);
    _exit(98);
  }
  REQUIRE_EXIT(wait_of(other), 23);
}

void execve_passes() {
  const std::string large(100000, 'a');
  const pid_t child = fork();
  if (child == 0) {
    char* const arguments[] = {const_cast<char*>("self"),
                               const_cast<char*>("arguments"),
                               const_cast<char*>("two words"),
                               const_cast<char*>(""),
                               const_cast<char*>("\"quoted\" \\ gr\xc3\xbc\xc3\x9f"),
                               const_cast<char*>(large.c_str()),
                               nullptr};
    char* const environment[] = {const_cast<char*>("ONLY=this"), nullptr};
    execve("/proc/self/exe", arguments, environment);
    _exit(98);
  }
  REQUIRE_EXIT(wait_of(child), 0);
  REQUIRE_ERRNO(execl("/no/such/file", "x", nullptr), ENOENT);
  REQUIRE_ERRNO(execl("/proc", "x", nullptr), EACCES);
  const int empty = memfd_create("not a program", 0);
  REQUIRE_EQ(write(empty, "nonsense\n", 9), 9);
  char* const arguments[] = {const_cast<char*>("x"), nullptr};
  REQUIRE_ERRNO(fexecve(empty, arguments, environ), ENOEXEC);
  close(empty);

  // Close-on-exec closes, the rest stays.
  int kept[2], closed[2];
  REQUIRE_OK(pipe(kept));
  REQUIRE_OK(pipe2(closed, O_CLOEXEC));
  REQUIRE_EQ(write(kept[1], "x", 1), 1);
  const pid_t heir = fork();
  if (heir == 0) {
    execl("/proc/self/exe", "self", "descriptor", std::to_string(kept[0]).c_str(),
          std::to_string(closed[0]).c_str(), nullptr);
    _exit(98);
  }
  REQUIRE_EXIT(wait_of(heir), 0);
  for (const int fd : {kept[0], kept[1], closed[0], closed[1]})
    close(fd);
}

void spawn() {
  for (int i = 0; i < 20; ++i) {
    const std::string number = std::to_string(i);
    char* const arguments[] = {const_cast<char*>("self"), const_cast<char*>("exit"),
                               const_cast<char*>(number.c_str()), nullptr};
    pid_t child;
    REQUIRE_EQ(posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, arguments, environ), 0);
    REQUIRE_EXIT(wait_of(child), i);
  }
  char* const arguments[] = {const_cast<char*>("x"), nullptr};
  pid_t child;
  REQUIRE_EQ(posix_spawn(&child, "/no/such/file", nullptr, nullptr, arguments, environ), ENOENT);
  setenv("UKL_CHECK", "some value", 1);
  char* const look[] = {const_cast<char*>("self"), const_cast<char*>("environment"),
                        const_cast<char*>("UKL_CHECK"), const_cast<char*>("some value"), nullptr};
  REQUIRE_EQ(posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, look, environ), 0);
  REQUIRE_EXIT(wait_of(child), 0);
}

void waiting() {
  const pid_t sleeper = fork();
  if (sleeper == 0) {
    pause();
    _exit(0);
  }
  int status = -1;
  REQUIRE_EQ(waitpid(sleeper, &status, WNOHANG), 0);
  kill(sleeper, SIGSTOP);
  REQUIRE_EQ(waitpid(sleeper, &status, WUNTRACED), sleeper);
  REQUIRE(WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP);
  kill(sleeper, SIGCONT);
  REQUIRE_EQ(waitpid(sleeper, &status, WCONTINUED), sleeper);
  REQUIRE(WIFCONTINUED(status));
  kill(sleeper, SIGKILL);
  siginfo_t info{};
  REQUIRE_OK(waitid(P_PID, static_cast<id_t>(sleeper), &info, WEXITED | WNOWAIT));
  REQUIRE_EQ(info.si_pid, sleeper);
  REQUIRE_EQ(info.si_code, CLD_KILLED);
  REQUIRE_EQ(info.si_status, SIGKILL);
  rusage usage{};
  REQUIRE_EQ(wait4(sleeper, &status, 0, &usage), sleeper);
  REQUIRE_KILLED(status, SIGKILL);
  REQUIRE_ERRNO(waitpid(sleeper, &status, 0), ECHILD);

  for (const int signal : {SIGTERM, SIGABRT, SIGUSR1, SIGSEGV, SIGALRM}) {
    const std::string number = std::to_string(signal);
    const pid_t child = fork();
    if (child == 0) {
      execl("/proc/self/exe", "self", "signal", number.c_str(), nullptr);
      _exit(98);
    }
    REQUIRE_KILLED(wait_of(child), signal);
  }

  // Orphans come to the subreaper.
  REQUIRE_OK(prctl(PR_SET_CHILD_SUBREAPER, 1));
  const pid_t middle = fork();
  if (middle == 0) {
    if (fork() == 0) {
      while (getppid() == middle)
        usleep(1000);
      check::sleep_ms(20);
      _exit(55);
    }
    _exit(0);
  }
  REQUIRE_EXIT(wait_of(middle), 0);
  REQUIRE(wait(&status) > 0);
  REQUIRE_EXIT(status, 55);
  prctl(PR_SET_CHILD_SUBREAPER, 0);
}

void child_signal() {
  static volatile sig_atomic_t children, pid_seen, code_seen;
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    ++children;
    pid_seen = info->si_pid;
    code_seen = info->si_code;
  };
  REQUIRE_OK(sigaction(SIGCHLD, &action, nullptr));
  const pid_t child = fork();
  if (child == 0)
    _exit(4);
  REQUIRE_EXIT(wait_of(child), 4);
  REQUIRE_EQ(children, 1);
  REQUIRE_EQ(pid_seen, child);
  REQUIRE_EQ(code_seen, CLD_EXITED);
  signal(SIGCHLD, SIG_DFL);
}

void clone_variants() {
  // A thread-like child on a stack of its own, sharing memory, made without the C library.
  constexpr std::size_t size = 256 * 1024;
  auto* stack =
      static_cast<char*>(mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  static volatile int shared;
  shared = 0;
  const int child = clone(
      [](void* argument) {
        shared = *static_cast<int*>(argument);
        return 12;
      },
      stack + size, CLONE_VM | CLONE_FILES | SIGCHLD, new int(321));
  REQUIRE(child > 0);
  REQUIRE_EXIT(wait_of(child), 12);
  REQUIRE_EQ(shared, 321);
  munmap(stack, size);

  struct {
    unsigned long flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
  } arguments{};
  int pidfd = -1;
  arguments.flags = CLONE_PIDFD;
  arguments.pidfd = reinterpret_cast<unsigned long>(&pidfd);
  arguments.exit_signal = SIGCHLD;
  const long forked = syscall(SYS_clone3, &arguments, sizeof arguments);
  REQUIRE(forked >= 0);
  if (forked == 0)
    _exit(31);
  siginfo_t info{};
  REQUIRE_OK(waitid(P_PIDFD, static_cast<id_t>(pidfd), &info, WEXITED));
  REQUIRE_EQ(info.si_status, 31);
  close(pidfd);
}

void groups() {
  REQUIRE_EXIT(check::in_child([] {
                 REQUIRE_OK(setsid());
                 REQUIRE_EQ(getsid(0), getpid());
                 REQUIRE_EQ(getpgrp(), getpid());
               }),
               0);
  const pid_t leader = fork();
  if (leader == 0) {
    pause();
    _exit(0);
  }
  setpgid(leader, leader);
  std::vector<pid_t> members;
  for (int i = 0; i < 5; ++i) {
    const pid_t member = fork();
    if (member == 0) {
      pause();
      _exit(0);
    }
    REQUIRE_OK(setpgid(member, leader));
    members.push_back(member);
  }
  REQUIRE_OK(kill(-leader, SIGTERM));
  REQUIRE_KILLED(wait_of(leader), SIGTERM);
  for (const pid_t member : members)
    REQUIRE_KILLED(wait_of(member), SIGTERM);
}

void many_at_once() {
  std::vector<pid_t> children;
  int ends[2];
  REQUIRE_OK(pipe(ends));
  for (int i = 0; i < 60; ++i) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      close(ends[1]);
      char byte;
      (void)!read(ends[0], &byte, 1); // until the parent closes its end
      std::vector<int> work(2000);
      for (int round = 0; round < 20; ++round)
        for (auto& number : work)
          number += i;
      _exit(work[77] == 20 * i ? i : 255);
    }
    children.push_back(child);
  }
  close(ends[1]);
  for (int i = 0; i < 60; ++i)
    REQUIRE_EXIT(wait_of(children[static_cast<std::size_t>(i)]), i);
  close(ends[0]);
}

void tree() {
  // Each process forks two more, five levels deep; the exit statuses count the leaves.
  struct {
    int operator()(int depth) const {
      if (depth == 0)
        return 1;
      int leaves = 0;
      pid_t both[2];
      for (pid_t& child : both) {
        child = fork();
        if (child < 0)
          _exit(255);
        if (child == 0)
          _exit((*this)(depth - 1));
      }
      for (const pid_t child : both) {
        int status = 0;
        if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
          _exit(254);
        leaves += WEXITSTATUS(status);
      }
      return leaves;
    }
  } leaves;
  REQUIRE_EQ(leaves(5), 32);
}

} // namespace

int main(int argc, char** argv) {
  if (argc > 1)
    return as_child(argc, argv);
  fork_copies();
  vfork_shares();
  execve_passes();
  spawn();
  waiting();
  child_signal();
  clone_variants();
  groups();
  many_at_once();
  tree();
}
