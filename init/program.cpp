// SPDX-License-Identifier: GPL-2.0-only
#include "program.hpp"

#include "boot_times.hpp"
#include "clock.hpp"
#include "control.hpp"
#include "crash_report.hpp"
#include "dhcp.hpp"
#include "ending.hpp"
#include "exec.hpp"
#include "listeners.hpp"
#include "orders.hpp"
#include "start.hpp"
#include "streams.hpp"
#include "survivors.hpp"
#include "warm.hpp"

#include "ukl/wait_status.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <poll.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ukl::init {
namespace {

int ended_children = -1, orders = -1;

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

// What a terminal or a shell sends to a job goes to its whole group, the rest to the program alone. Without
// the program, for those that it has left behind.
void pass_on(pid_t program, int signal) {
  const bool for_group =
      signal == SIGINT || signal == SIGQUIT || signal == SIGHUP || signal == SIGTSTP || signal == SIGCONT;
  kill(program < 0 ? -1 : for_group ? -program : program, signal);
  passed_on = signal;
  report("signalled " + std::to_string(signal));
}

void take_messages(pid_t program) {
  for (const auto& [word, rest] : read_control()) {
    if (word == "signal")
      pass_on(program, atoi(rest.c_str()));
    else if (word == "window")
      resize_terminal(rest.c_str());
    else if (word == "await")
      await_listener(atoi(rest.c_str()));
    else if (word == "quiet")
      say_how_quiet();
    else if (word == "go-on")
      go_on(rest);
    else if (word == "clock")
      check_clock();
    else if (word == "time")
      on_host_time(strtoll(rest.c_str(), nullptr, 10));
    else if (word == "end" && rest.starts_with("0 "))
      end_input(strtoull(rest.c_str() + 2, nullptr, 10));
  }
}

// Reaps whatever has ended. True, with the program's wait status, if that was among it (because its parent
// was killed).
bool reap(pid_t program, int& status) {
  signalfd_siginfo drained;
  while (read(ended_children, &drained, sizeof drained) > 0) {
  }
  bool ended = false;
  int wait_status = 0;
  for (pid_t pid; (pid = waitpid(-1, &wait_status, WNOHANG)) > 0;) {
    exec_ended(pid, wait_status);
    if (pid != program)
      continue;
    status = wait_status;
    ended = true;
  }
  carry_exec(); // one of its processes may have been among them
  return ended;
}

// How long poll(2) may wait, in milliseconds.
int longest_wait() {
  if (has_messages())
    return 0;
  int wait = -1;
  for (const int each : {until_next_look(), until_clock_check(), until_dhcp()})
    if (each >= 0 && (wait < 0 || each < wait))
      wait = each;
  return wait;
}

// Whole lines of what the program did not find, to whoever asked for that.
void pass_on_missing(int& missing) {
  static std::string unread;
  char buffer[4096];
  const ssize_t got = read(missing, buffer, sizeof buffer);
  if (got <= 0) {
    close(missing);
    missing = -1;
    return;
  }
  unread.append(buffer, static_cast<std::size_t>(got));
  for (std::size_t end; (end = unread.find('\n')) != std::string::npos; unread.erase(0, end + 1))
    report("missing " + unread.substr(0, end));
}

// Carries streams and messages until something else happens: a child has ended, or the program's parent has
// something to say.
void wait_for_events(pid_t program, ProgramNews& news, bool& child, bool& report) {
  std::vector<pollfd> events = {
      {ended_children, POLLIN, 0}, {news.reports, POLLIN, 0}, {control_descriptor(), POLLIN, 0},
      {news.missing, POLLIN, 0},   {orders, POLLIN, 0},       {dhcp_descriptor(), POLLIN, 0}};
  add_stream_events(events);
  add_exec_events(events);
  const int ready = poll(events.data(), events.size(), longest_wait());
  if (ready < 0 && errno != EINTR)
    fail("cannot wait for the program" + reason());
  for (const int port : take_listeners())
    ::ukl::init::report("listening " + std::to_string(port));
  if (ready == 0 && until_next_look() < 0 && until_clock_check() >= 0)
    check_clock();
  child = events[0].revents != 0;
  report = events[1].revents != 0;
  if (events[2].revents || has_messages())
    take_messages(program);
  if (events[3].revents)
    pass_on_missing(news.missing);
  // As everywhere, a program is asked to end by SIGTERM.
  if (events[4].revents && told_to_end())
    pass_on(program, SIGTERM);
  if (events[5].revents || until_dhcp() == 0)
    keep_dhcp_address();
  carry_streams();
  carry_exec();
}

bool has_bytes(int descriptor) {
  pollfd event = {descriptor, POLLIN, 0};
  return poll(&event, 1, 0) > 0;
}

int wait_for(pid_t program, ProgramNews& news) {
  int status = 0;
  while (true) {
    bool child = false, parent = false;
    wait_for_events(program, news, child, parent);
    if (child && reap(program, status))
      return status;
    ProgramReport told;
    if (parent && read(news.reports, &told, sizeof told) != sizeof told) {
      close(news.reports);
      news.reports = -1;
    } else if (parent && WIFSTOPPED(told.wait_status)) {
      report("stopped " + std::to_string(WSTOPSIG(told.wait_status)));
    } else if (parent) {
      while (news.missing >= 0 && has_bytes(news.missing))
        pass_on_missing(news.missing);
      return told.wait_status;
    }
  }
}

// A program that has ended without an error and has left a daemon has done its work: the machine runs on for
// that daemon, unless it was asked to end. Whatever else is left ends with the machine, which is said;
// `expected`: it is what the machine is for.
void wait_for_daemons(bool asked_to_end, bool expected) {
  Survivors survivors = find_daemons();
  if (!survivors.in_session && !expected) {
    if (!survivors.names.empty())
      say("the program has ended, and with it these processes that it has left: " + survivors.names);
    return;
  }
  if (asked_to_end) {
    pass_on(-1, SIGTERM); // or whoever asked would have to ask again
  } else {
    if (control_descriptor() < 0)
      say("the program has ended, and the machine runs on for the processes that it has left: " +
          survivors.names);
    report("background " + survivors.names);
  }
  while (!survivors.names.empty()) {
    bool child = false, parent = false;
    ProgramNews nobody;
    wait_for_events(-1, nobody, child, parent);
    int status = 0;
    if (child)
      reap(0, status);
    survivors = find_survivors();
  }
}

} // namespace

int run_program(const Manifest& settings) {
  const KernelLog log = KernelLog::from_now_on();
  watch_children();
  orders = open_orders();
  const std::vector<std::string> arguments = values_of(settings, key::argument);
  if (arguments.empty())
    fail("the manifest names no program");
  ProgramNews news;
  set_clock();
  const pid_t program = start_program(settings, news);
  report_times(settings);
  report("started");
  open_exec(settings);
  const int status = wait_for(program, news);
  end_exec();
  if (status == 0)
    wait_for_daemons(passed_on == SIGTERM || passed_on == SIGINT ||
                         std::to_string(passed_on) == value_of(settings, key::stop_signal),
                     value_of(settings, key::background) == "1");
  if (WIFSIGNALED(status) && WTERMSIG(status) != passed_on)
    report_crash(arguments[0], program, WTERMSIG(status), log);
  return exit_status(status);
}

} // namespace ukl::init
