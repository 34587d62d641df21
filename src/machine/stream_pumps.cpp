// SPDX-License-Identifier: GPL-2.0-only
#include "machine/stream_pumps.hpp"

#include "machine/raw_terminal.hpp"
#include "support/standard_streams.hpp"

#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <mutex>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <thread>
#include <unistd.h>
#include <utility>

namespace ukl {
namespace {

constexpr std::size_t kBuffer = 65536;
constexpr std::size_t kMostMessages = 1 << 20;
constexpr std::uint64_t kUnknown = std::numeric_limits<std::uint64_t>::max();

// Ctrl-], as of systemd-nspawn(1) and telnet(1).
constexpr char kEscape = 0x1d;
constexpr std::chrono::seconds kEscapeTime{1};

// How often a job in the background looks whether it has become one of the foreground: Linux tells nobody.
constexpr int kLookAgain = 500;

void wake_up(int event) {
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = write(event, &one, sizeof one);
}

// Signals are for the thread that supervises.
Result<void> start_thread(std::function<void()> work) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  Result<void> started;
  try {
    std::thread(std::move(work)).detach();
  } catch (const std::system_error& error) {
    started = Error{Failure::unwritable, fmt::format("cannot start a thread: {}", error.what()),
                    "end other programs, or raise `ulimit -u`"};
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return started;
}

Result<FileDescriptor> copy_of(int descriptor) {
  FileDescriptor copy(fcntl(descriptor, F_DUPFD_CLOEXEC, 3));
  if (!copy)
    return file_error("descriptor", "copy", errno);
  return copy;
}

} // namespace

struct OutputPump::State {
  FileDescriptor source, target, wake;
  Seen seen;
  std::atomic<std::uint64_t> received = 0, written = 0, end = kUnknown;
  std::atomic<int> error = 0;
  std::atomic<bool> ended = false;

  void run() {
    char buffer[kBuffer];
    int failure = 0;
    while (failure == 0 && received < end) {
      const ssize_t got = read(source.get(), buffer, sizeof buffer);
      if (got < 0 && errno == EINTR)
        continue;
      if (got <= 0)
        break;
      const bool first = received == 0;
      received += static_cast<std::uint64_t>(got);
      if (first || received >= end)
        wake_up(wake.get());
      const std::string_view bytes(buffer, static_cast<std::size_t>(got));
      if (seen && seen(bytes))
        wake_up(wake.get());
      failure = write_all(target.get(), bytes);
      written += static_cast<std::uint64_t>(got);
    }
    error = failure == EPIPE ? 0 : failure;
    // The reader sees the end of its file, QEMU that nobody reads.
    target = FileDescriptor();
    shutdown(source.get(), SHUT_RDWR);
    ended = true;
    wake_up(wake.get());
  }
};

Result<OutputPump> OutputPump::start(FileDescriptor source, int target, int wake, Seen seen) {
  auto state = std::make_shared<State>();
  auto target_copy = copy_of(target), wake_copy = copy_of(wake);
  if (!target_copy || !wake_copy)
    return target_copy ? wake_copy.error() : target_copy.error();
  state->source = std::move(source);
  state->target = std::move(*target_copy);
  state->wake = std::move(*wake_copy);
  state->seen = std::move(seen);
  if (auto started = start_thread([state] { state->run(); }); !started)
    return started.error();
  return OutputPump(std::move(state));
}

void OutputPump::end_at(std::uint64_t bytes) {
  if (state_->end.exchange(bytes) == kUnknown && state_->received >= bytes)
    shutdown(state_->source.get(), SHUT_RD); // it may wait for bytes that will not come
}

void OutputPump::source_ended() {
  shutdown(state_->source.get(), SHUT_RD);
}

bool OutputPump::has(std::uint64_t bytes) const {
  return state_->received >= bytes || state_->ended;
}

bool OutputPump::ended() const {
  return state_->ended;
}

int OutputPump::error() const {
  return state_->error;
}

bool OutputPump::any() const {
  return state_->received > 0;
}

std::uint64_t OutputPump::written() const {
  return state_->written;
}

struct InputPump::State {
  FileDescriptor source, target, wake, poke;
  bool terminal = false;
  std::atomic<bool> started = false, stopped = false, ended = false, stop_typed = false;
  std::atomic<int> interrupt_key = -1;
  std::atomic<std::uint64_t> sent = 0;
  int escapes = 0;
  std::chrono::steady_clock::time_point first_escape;

  // Waits until there is something to read, and we may. False: no more.
  bool wait() {
    while (!stopped) {
      const bool ours = !terminal || in_foreground(source.get());
      pollfd events[] = {{poke.get(), POLLIN, 0}, {ours ? source.get() : -1, POLLIN, 0}};
      const int ready = poll(events, 2, ours ? -1 : kLookAgain);
      if (!ours && in_foreground(source.get()))
        wake_up(wake.get()); // the terminal is to be made raw
      if (ready > 0 && events[1].revents)
        return !stopped;
      std::uint64_t drained;
      if (ready > 0 && read(poke.get(), &drained, sizeof drained) < 0)
        return false;
    }
    return false;
  }

  void look_at_keys(std::string_view keys) {
    for (const char key : keys) {
      if (!started && interrupt_key >= 0 && static_cast<unsigned char>(key) == interrupt_key)
        stop_typed = true;
      const auto now = std::chrono::steady_clock::now();
      if (key != kEscape) {
        escapes = 0;
        continue;
      }
      if (escapes == 0 || now - first_escape > kEscapeTime) {
        first_escape = now;
        escapes = 0;
      }
      if (++escapes == 3)
        stop_typed = true;
    }
    if (stop_typed)
      wake_up(wake.get());
  }

  bool send_all(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t put = send(target.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put < 0 && errno != EINTR)
        return false; // the machine has ended
      if (put <= 0)
        continue;
      bytes.remove_prefix(static_cast<std::size_t>(put));
      sent += static_cast<std::uint64_t>(put);
    }
    return true;
  }

  void run() {
    char buffer[kBuffer];
    while (wait()) {
      const ssize_t got = read(source.get(), buffer, sizeof buffer);
      if (got < 0 && (errno == EINTR || errno == EAGAIN))
        continue;
      if (got < 0 && terminal && errno == EIO && !in_foreground(source.get()))
        continue; // put into the background in this moment
      if (got <= 0)
        break;
      const std::string_view bytes(buffer, static_cast<std::size_t>(got));
      if (terminal)
        look_at_keys(bytes);
      if (!send_all(bytes))
        break;
    }
    source = FileDescriptor();
    ended = true;
    wake_up(wake.get());
  }
};

Result<InputPump> InputPump::start(int source, int target, bool terminal, int wake) {
  auto state = std::make_shared<State>();
  auto source_copy = copy_of(source), target_copy = copy_of(target), wake_copy = copy_of(wake);
  for (const auto* copy : {&source_copy, &target_copy, &wake_copy})
    if (!*copy)
      return copy->error();
  state->source = std::move(*source_copy);
  state->target = std::move(*target_copy);
  state->wake = std::move(*wake_copy);
  state->poke = FileDescriptor(eventfd(0, EFD_CLOEXEC));
  state->terminal = terminal;
  if (!state->poke)
    return file_error("event", "create", errno);
  if (auto started = start_thread([state] { state->run(); }); !started)
    return started.error();
  return InputPump(std::move(state));
}

InputPump::~InputPump() {
  if (state_)
    stop();
}

void InputPump::set_started() const {
  state_->started = true;
}

void InputPump::set_interrupt_key(int key) const {
  state_->interrupt_key = key;
}

void InputPump::stop() {
  state_->stopped = true;
  wake_up(state_->poke.get());
  shutdown(state_->target.get(), SHUT_RDWR); // it may wait for room
}

bool InputPump::ended() const {
  return state_->ended;
}

std::uint64_t InputPump::bytes() const {
  return state_->sent;
}

bool InputPump::stop_typed() const {
  return state_->stop_typed;
}

struct MessagePump::State {
  FileDescriptor target, wake;
  std::mutex mutex;
  std::condition_variable changed;
  std::string waiting;
  bool raw = false, in_line = false, dropping = false, writing = false, failed = false, abandoned = false;

  void add(std::string_view text) {
    if (failed || (waiting.size() > kMostMessages && dropping))
      return;
    if (waiting.size() > kMostMessages) {
      waiting += "\nukl: nobody reads these messages: some of them are missing\n";
      dropping = true;
      return;
    }
    dropping = false;
    for (const char character : text) {
      if (character == '\r')
        continue;
      if (character == '\n' && raw)
        waiting += '\r';
      waiting += character;
    }
    if (!text.empty())
      in_line = text.back() != '\n';
  }

  void run() {
    std::unique_lock lock(mutex);
    while (true) {
      changed.wait(lock, [this] { return !waiting.empty() || abandoned; });
      if (waiting.empty() || failed)
        return;
      const std::string text = std::exchange(waiting, {});
      writing = true;
      lock.unlock();
      const int error = write_all(target.get(), text);
      lock.lock();
      writing = false;
      failed = error != 0;
      wake_up(wake.get());
    }
  }
};

Result<MessagePump> MessagePump::start(int target, int wake) {
  auto state = std::make_shared<State>();
  auto target_copy = copy_of(target), wake_copy = copy_of(wake);
  if (!target_copy || !wake_copy)
    return target_copy ? wake_copy.error() : target_copy.error();
  state->target = std::move(*target_copy);
  state->wake = std::move(*wake_copy);
  if (auto started = start_thread([state] { state->run(); }); !started)
    return started.error();
  return MessagePump(std::move(state));
}

MessagePump::~MessagePump() {
  if (!state_)
    return;
  const std::lock_guard lock(state_->mutex);
  state_->abandoned = true;
  state_->changed.notify_all();
}

void MessagePump::add(std::string_view text) {
  const std::lock_guard lock(state_->mutex);
  state_->add(text);
  state_->changed.notify_all();
}

void MessagePump::add_line(std::string_view text) {
  const std::lock_guard lock(state_->mutex);
  state_->add(fmt::format("{}{}\n", state_->in_line ? "\n" : "", text));
  state_->changed.notify_all();
}

void MessagePump::set_raw(bool raw) {
  const std::lock_guard lock(state_->mutex);
  state_->raw = raw;
}

bool MessagePump::idle() const {
  const std::lock_guard lock(state_->mutex);
  return state_->failed || (state_->waiting.empty() && !state_->writing);
}

} // namespace ukl
