// SPDX-License-Identifier: GPL-2.0-only
#include "start.hpp"

#include "become.hpp"
#include "ending.hpp"
#include "missing_files.hpp"
#include "streams.hpp"
#include "survivors.hpp"
#include "ukl/run_settings.hpp"

#include <algorithm>
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

// Ours alone: what the program's parent writes to.
int reports_end = -1;
pid_t watched = -1;

bool tell_init(int wait_status) {
  const ProgramReport report = {watched, wait_status};
  return write(reports_end, &report, sizeof report) == sizeof report;
}

// The program's parent, which does nothing but tell init what becomes of it. init itself cannot be the
// parent: to Linux, what a process 1 has started belongs to no job, and Ctrl-Z would not stop it. `missing`:
// where to write what the program does not find, or -1.
[[noreturn]] void watch(pid_t program, int reports, int missing) {
  prctl(PR_SET_NAME, kParentName);
  const int last = std::max(reports, missing);
  for (int fd = 0; fd < last; ++fd)
    if (fd != reports && fd != missing)
      close(fd);
  close_range(static_cast<unsigned>(last) + 1, ~0U, 0);
  watched = program;
  reports_end = reports;
  bool told = tell_init(kProgramStarted);
  if (missing >= 0)
    report_missing_files(program, missing, [](int wait_status) { tell_init(wait_status); });
  int wait_status = 0;
  while (told && waitpid(program, &wait_status, WUNTRACED) == program)
    told = tell_init(wait_status);
  // init ends us.
  while (true)
    pause();
}

} // namespace

pid_t start_program(const Manifest& settings, ProgramNews& news) {
  Execution execution;
  std::string why;
  if (!make_execution(settings, execution, why))
    fail(why);
  open_streams(settings, execution.user.user);
  const bool finds_files = value_of(settings, key::find_files) == "1";
  int ends[2], report_ends[2], missing_ends[2] = {-1, -1}, followed[2] = {-1, -1};
  if (pipe2(ends, O_CLOEXEC) != 0 || pipe2(report_ends, O_CLOEXEC) != 0 ||
      (finds_files && (pipe2(missing_ends, O_CLOEXEC) != 0 || pipe2(followed, O_CLOEXEC) != 0)))
    fail("cannot make a pipe" + reason());
  const pid_t parent = fork();
  if (parent == 0) {
    // Nothing that the program sends to everybody ends its parent.
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, nullptr);
    const pid_t pid = fork();
    if (pid == 0) {
      char end = 0;
      close(followed[1]);
      if (finds_files && read(followed[0], &end, 1) < 0)
        give_up(ends[1], NotStarted::process);
      become(execution, value_of(settings, key::ignored), ends[1]);
    }
    if (pid < 0)
      give_up(ends[1], NotStarted::process);
    if (finds_files)
      follow_calls(pid);
    watch(pid, report_ends[1], missing_ends[1]);
  }
  if (parent < 0)
    fail("cannot make a process" + reason());
  close(ends[1]);
  close(report_ends[1]);
  close(missing_ends[1]);
  close(followed[0]);
  close(followed[1]);
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
  news = {report_ends[0], missing_ends[0]};
  return report.pid;
}

} // namespace ukl::init
