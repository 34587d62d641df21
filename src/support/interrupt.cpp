// SPDX-License-Identifier: GPL-2.0-only
#include "support/interrupt.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <unistd.h>

namespace ukl {
namespace {

std::atomic<int> last_signal = 0;
int wake_pipe[2] = {-1, -1};

void on_signal(int signal) {
  const int saved = errno;
  last_signal = signal;
  const char byte = 0;
  [[maybe_unused]] const ssize_t ignored = write(wake_pipe[1], &byte, 1);
  errno = saved;
}

} // namespace

void catch_interrupts() {
  if (wake_pipe[0] >= 0 || pipe2(wake_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
    return;
  struct sigaction action = {};
  action.sa_handler = on_signal;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    // What was ignored when we started stays ignored: nohup, and background jobs of a shell without job
    // control.
    struct sigaction old = {};
    if (sigaction(signal, nullptr, &old) == 0 && old.sa_handler != SIG_IGN)
      sigaction(signal, &action, nullptr);
  }
}

int interrupted() {
  return last_signal;
}

void clear_interrupt() {
  char drained[64];
  while (read(wake_pipe[0], drained, sizeof drained) > 0) {
  }
  last_signal = 0;
}

int interrupt_descriptor() {
  return wake_pipe[0];
}

} // namespace ukl
