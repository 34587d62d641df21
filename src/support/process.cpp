// SPDX-License-Identifier: GPL-2.0-only
#include "support/process.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/tool.hpp"
#include "ukl/wait_status.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace ukl {
namespace {

// Runs in the child between fork and exec: only async-signal-safe calls.
[[noreturn]] void become(const ProcessOptions& options, char* const* arguments, int error_pipe) {
  if (options.own_group)
    setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  signal(SIGINT, SIG_DFL);
  signal(SIGTERM, SIG_DFL);
  restore_signals();
  const int input = options.standard_input >= 0 ? options.standard_input : open("/dev/null", O_RDONLY);
  const int wanted[3] = {input, options.standard_output, options.standard_error};
  for (int target = 0; target < 3; ++target)
    if (wanted[target] >= 0 && wanted[target] != target)
      dup2(wanted[target], target);
  for (int fd : options.keep)
    fcntl(fd, F_SETFD, 0);
  int error_number = 0;
  if (!options.directory.empty() && chdir(options.directory.c_str()) != 0)
    error_number = errno;
  if (error_number == 0 && options.prepare) {
    error_number = options.prepare();
    prctl(PR_SET_PDEATHSIG, SIGKILL); // other credentials have cleared it
  }
  if (error_number == 0) {
    execvp(arguments[0], arguments);
    error_number = errno;
  }
  if (write(error_pipe, &error_number, sizeof error_number) < 0)
    _exit(126);
  _exit(127);
}

} // namespace

Result<Process> Process::start(const std::vector<std::string>& argv, const ProcessOptions& options) {
  std::vector<char*> arguments;
  for (const auto& argument : argv)
    arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  int error_pipe[2];
  if (pipe2(error_pipe, O_CLOEXEC) != 0)
    return file_error("pipe", "create", errno);
  FileDescriptor reader(error_pipe[0]), writer(error_pipe[1]);

  const pid_t pid = fork();
  if (pid < 0)
    return file_error(argv[0], "start", errno);
  if (pid == 0) {
    for (const auto& variable : options.environment)
      putenv(const_cast<char*>(variable.c_str()));
    become(options, arguments.data(), error_pipe[1]);
  }
  Process process(pid);
  writer = FileDescriptor();
  int error_number = 0;
  if (read(reader.get(), &error_number, sizeof error_number) == sizeof error_number) {
    process.wait();
    if (error_number == ENOENT)
      return Error{Failure::missing_tool, fmt::format("cannot start {}: it is not installed", argv[0]),
                   "`make prepare` installs every program that ukl needs"};
    return file_error(argv[0], "start", error_number);
  }
  return process;
}

Process::Process(Process&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), status_(std::exchange(other.status_, std::nullopt)) {}

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(status_, other.status_);
  return *this;
}

Process::~Process() {
  if (pid_ < 0 || status_)
    return;
  if (getpgid(pid_) == pid_)
    kill(-pid_, SIGKILL);
  kill(pid_, SIGKILL);
  wait();
}

void Process::signal(int signal) {
  if (pid_ > 0 && !status_)
    kill(pid_, signal);
}

bool Process::take_continued() {
  siginfo_t news = {};
  return pid_ > 0 && !status_ && waitid(P_PID, static_cast<id_t>(pid_), &news, WCONTINUED | WNOHANG) == 0 &&
         news.si_pid == pid_;
}

std::optional<int> Process::wait_for(std::chrono::milliseconds timeout) {
  const auto end = std::chrono::steady_clock::now() + timeout;
  while (!status_) {
    int wait_status = 0;
    const pid_t result = waitpid(pid_, &wait_status, WNOHANG);
    if (result == pid_)
      status_ = exit_status(wait_status);
    else if (result < 0 && errno != EINTR)
      status_ = 127;
    else if (std::chrono::steady_clock::now() >= end)
      break;
    else
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return status_;
}

int Process::wait() {
  while (!status_) {
    int wait_status = 0;
    const pid_t result = waitpid(pid_, &wait_status, 0);
    if (result == pid_)
      status_ = exit_status(wait_status);
    else if (result < 0 && errno != EINTR)
      status_ = 127;
  }
  return *status_;
}

Result<Output> run_command(const std::vector<std::string>& argv, const ProcessOptions& options,
                           const std::function<void(const std::string&)>& on_line) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return file_error("pipe", "create", errno);
  FileDescriptor reader(ends[0]), writer(ends[1]);
  ProcessOptions piped = options;
  piped.standard_output = piped.standard_error = writer.get();
  TRY_LET(auto process, Process::start(argv, piped));
  writer = FileDescriptor();

  Output output;
  std::size_t line_start = 0;
  char buffer[65536];
  while (true) {
    pollfd wait[2] = {{reader.get(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    if (poll(wait, 2, -1) < 0 && errno != EINTR)
      break;
    if (interrupted())
      return Error{Failure::interrupted, fmt::format("interrupted while running {}", argv[0]), ""};
    if (!wait[0].revents)
      continue;
    const ssize_t got = read(reader.get(), buffer, sizeof buffer);
    if (got <= 0)
      break;
    output.text.append(buffer, static_cast<std::size_t>(got));
    for (std::size_t end; on_line && (end = output.text.find('\n', line_start)) != std::string::npos;
         line_start = end + 1)
      on_line(output.text.substr(line_start, end - line_start));
  }
  output.status = process.wait();
  return output;
}

} // namespace ukl
