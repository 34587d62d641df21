// SPDX-License-Identifier: GPL-2.0-only
#include "support/if_killed.hpp"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <utility>

namespace ukl {
namespace {

[[noreturn]] void wait_and_act(int pipe, const std::function<void()>& act) {
  setsid(); // what is sent to our group is not for it
  // Who reads our output is not to wait for it.
  if (const int nothing = open("/dev/null", O_RDWR | O_CLOEXEC); nothing >= 0)
    for (const int standard : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
      dup2(nothing, standard);
  char none;
  while (read(pipe, &none, 1) < 0 && errno == EINTR) {
  }
  act();
  _exit(0);
}

} // namespace

Result<IfKilled> IfKilled::start(const std::function<void()>& act) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return file_error("pipe", "create", errno);
  const FileDescriptor theirs(ends[0]);
  FileDescriptor ours(ends[1]);
  const pid_t pid = fork();
  if (pid < 0)
    return file_error("process", "start", errno);
  if (pid == 0) {
    close(ours.release());
    wait_and_act(theirs.get(), act);
  }
  return IfKilled(pid, std::move(ours));
}

IfKilled::IfKilled(IfKilled&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), ours_(std::move(other.ours_)) {}

IfKilled::~IfKilled() {
  if (pid_ <= 0)
    return;
  kill(pid_, SIGKILL);
  while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

} // namespace ukl
