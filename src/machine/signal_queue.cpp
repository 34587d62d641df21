// SPDX-License-Identifier: GPL-2.0-only
#include "machine/signal_queue.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>

namespace ukl {
namespace {

std::atomic<int> queue_writer = -1;

void on_signal(int signal) {
  const int saved = errno;
  const auto byte = static_cast<unsigned char>(signal);
  [[maybe_unused]] const ssize_t ignored = write(queue_writer, &byte, 1);
  errno = saved;
}

constexpr std::array kIgnored = {SIGPIPE, SIGTTIN, SIGTTOU};
constexpr std::array kLeftAlone = {SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE,
                                   SIGILL,  SIGTRAP, SIGSYS,  SIGABRT};

} // namespace

Result<SignalQueue> SignalQueue::create() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return file_error("pipe", "create", errno);
  SignalQueue queue;
  queue.reader_ = FileDescriptor(ends[0]);
  queue.writer_ = FileDescriptor(ends[1]);
  queue_writer = ends[1];
  for (int signal = 1; signal <= SIGRTMAX; ++signal) {
    if (std::ranges::find(kLeftAlone, signal) != kLeftAlone.end())
      continue;
    const bool ignore = std::ranges::find(kIgnored, signal) != kIgnored.end();
    struct sigaction action = {}, before = {};
    action.sa_handler = ignore ? SIG_IGN : on_signal;
    // Numbers that the C library keeps for itself are refused.
    if (sigaction(signal, &action, &before) != 0)
      continue;
    queue.before_.emplace_back(signal, before);
    if (!ignore && signal != SIGXFSZ && signal != SIGCHLD && before.sa_handler == SIG_IGN)
      queue.ignored_.push_back(signal);
  }
  return queue;
}

SignalQueue::SignalQueue(SignalQueue&& other) noexcept
    : reader_(std::move(other.reader_)), writer_(std::move(other.writer_)),
      before_(std::exchange(other.before_, {})), ignored_(std::move(other.ignored_)) {}

SignalQueue::~SignalQueue() {
  for (const auto& [signal, before] : before_)
    sigaction(signal, &before, nullptr);
}

std::vector<int> SignalQueue::take() {
  std::vector<int> signals;
  unsigned char byte;
  while (read(reader_.get(), &byte, 1) == 1)
    signals.push_back(byte);
  return signals;
}

void SignalQueue::stop_like_others(bool whole_group) {
  struct sigaction obey = {}, queued = {};
  obey.sa_handler = SIG_DFL;
  sigaction(SIGTSTP, &obey, &queued);
  kill(whole_group ? 0 : getpid(), SIGTSTP);
  sigaction(SIGTSTP, &queued, nullptr);
}

} // namespace ukl
