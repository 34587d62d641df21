// SPDX-License-Identifier: GPL-2.0-only
#include "program.hpp"

#include "console.hpp"
#include "control.hpp"
#include "crash_report.hpp"
#include "ending.hpp"
#include "start.hpp"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ukl::init {
namespace {

int ended_children = -1;

// The last signal that came from outside: a program that ends of it has not crashed.
int passed_on = 0;

void watch_children() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  ended_children = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (ended_children < 0)
    fail("cannot watch for processes that end" + reason());
}

// What a terminal sends goes to the whole foreground group, as from a terminal; the rest to the program
// alone.
void pass_on(pid_t program, int signal) {
  const bool from_terminal = signal == SIGINT || signal == SIGQUIT || signal == SIGHUP || signal == SIGTSTP;
  kill(from_terminal ? -program : program, signal);
  passed_on = signal;
  report_signalled(signal);
}

// Reaps whatever has ended. True, with the program's wait status, if that was among it.
bool reap(pid_t program, int& status) {
  signalfd_siginfo drained;
  while (read(ended_children, &drained, sizeof drained) > 0) {
  }
  bool ended = false;
  int wait_status = 0;
  for (pid_t pid; (pid = waitpid(-1, &wait_status, WNOHANG)) > 0;) {
    if (pid != program)
      continue;
    status = wait_status;
    ended = true;
  }
  return ended;
}

int wait_for(pid_t program) {
  int status = 0;
  while (true) {
    pollfd events[] = {{ended_children, POLLIN, 0}, {control_descriptor(), POLLIN, 0}};
    if (poll(events, 2, -1) < 0 && errno != EINTR)
      fail("cannot wait for the program" + reason());
    if (events[0].revents && reap(program, status))
      return status;
    if (events[1].revents)
      for (const int signal : read_control())
        pass_on(program, signal);
  }
}

} // namespace

int run_program(const Manifest& settings) {
  const KernelLog log = KernelLog::from_now_on();
  watch_children();
  const std::vector<std::string> arguments = values_of(settings, key::argument);
  if (arguments.empty())
    fail("the manifest names no program");
  const pid_t program = start_program(settings, arguments);
  report_started();
  const int status = wait_for(program);
  if (!WIFSIGNALED(status))
    return WEXITSTATUS(status);
  if (WTERMSIG(status) != passed_on)
    report_crash(arguments[0], program, WTERMSIG(status), log);
  return 128 + WTERMSIG(status);
}

} // namespace ukl::init
