// SPDX-License-Identifier: GPL-2.0-only
#include "signal_queue.hpp"

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

} // namespace

Result<SignalQueue> SignalQueue::create() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
    return file_error("pipe", "create", errno);
  SignalQueue queue;
  queue.reader_ = FileDescriptor(ends[0]);
  queue.writer_ = FileDescriptor(ends[1]);
  queue_writer = ends[1];
  const auto handle = [&queue](int signal, void (*handler)(int)) {
    struct sigaction action = {}, before = {};
    action.sa_handler = handler;
    sigaction(signal, &action, &before);
    queue.before_.emplace_back(signal, before);
  };
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2})
    handle(signal, on_signal);
  for (const int signal : {SIGPIPE, SIGTTIN})
    handle(signal, SIG_IGN);
  return queue;
}

SignalQueue::SignalQueue(SignalQueue&& other) noexcept
    : reader_(std::move(other.reader_)), writer_(std::move(other.writer_)),
      before_(std::exchange(other.before_, {})) {}

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

} // namespace ukl
