// SPDX-License-Identifier: GPL-2.0-only
#include "start.hpp"

#include "become.hpp"
#include "ending.hpp"
#include "streams.hpp"
#include "survivors.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ukl::init {
namespace {

// The streams get the numbers 0, 1 and 2; init's own, which have these now, are the console's.
void become_streams() {
  int copies[3];
  for (int standard = 0; standard <= 2; ++standard) {
    const int stream = program_stream(standard);
    copies[standard] = stream < 0 ? -1 : fcntl(stream, F_DUPFD_CLOEXEC, 3);
  }
  for (int standard = 0; standard <= 2; ++standard)
    if (copies[standard] < 0 || dup2(copies[standard], standard) < 0)
      close(standard);
}

void ignore_signals(const std::string& numbers) {
  for (const char* at = numbers.c_str(); *at;) {
    char* end = nullptr;
    const long number = strtol(at, &end, 10);
    if (number > 0)
      signal(static_cast<int>(number), SIG_IGN);
    at = *end ? end + 1 : end;
  }
}

[[noreturn]] void become(const Execution& execution, const std::string& ignored, int pipe) {
  setpgid(0, 0);
  // A process outside the foreground group that sets it would be stopped by SIGTTOU.
  signal(SIGTTOU, SIG_IGN);
  if (program_terminal() >= 0)
    tcsetpgrp(program_terminal(), getpid());
  signal(SIGTTOU, SIG_DFL);
  ignore_signals(ignored);
  become_streams();
  execute(execution, pipe);
}

// The program's parent, which does nothing but tell init what becomes of it. init itself cannot be the
// parent: to Linux, what a process 1 has started belongs to no job, and Ctrl-Z would not stop it.
[[noreturn]] void watch(pid_t program, int reports) {
  prctl(PR_SET_NAME, kParentName);
  for (int fd = 0; fd < reports; ++fd)
    close(fd);
  close_range(static_cast<unsigned>(reports) + 1, ~0U, 0);
  ProgramReport report = {program, kProgramStarted};
  do {
    if (write(reports, &report, sizeof report) < 0)
      break;
    report.pid = waitpid(program, &report.wait_status, WUNTRACED);
  } while (report.pid == program);
  // init ends us.
  while (true)
    pause();
}

} // namespace

pid_t start_program(const Manifest& settings, int& reports) {
  Execution execution;
  std::string why;
  if (!make_execution(settings, execution, why))
    fail(why);
  open_streams(settings, execution.user.user);
  int ends[2], report_ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0 || pipe2(report_ends, O_CLOEXEC) != 0)
    fail("cannot make a pipe" + reason());
  const pid_t parent = fork();
  if (parent == 0) {
    // Nothing that the program sends to everybody ends its parent.
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    const pid_t pid = fork();
    if (pid == 0)
      become(execution, value_of(settings, key::ignored), ends[1]);
    if (pid < 0)
      give_up(ends[1], NotStarted::process);
    watch(pid, report_ends[1]);
  }
  if (parent < 0)
    fail("cannot make a process" + reason());
  close(ends[1]);
  close(report_ends[1]);
  NotStarted failed;
  if (read(ends[0], &failed, sizeof failed) == sizeof failed) {
    int status = 0;
    say(explain(failed, execution, value_of(settings, key::user), status));
    end_machine(status);
  }
  close(ends[0]);
  close_program_ends();
  ProgramReport report;
  if (read(report_ends[0], &report, sizeof report) != sizeof report)
    fail("the program's parent has ended");
  reports = report_ends[0];
  return report.pid;
}

} // namespace ukl::init
