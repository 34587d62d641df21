// SPDX-License-Identifier: GPL-2.0-only
#include "machine/early_clients.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <vector>

namespace ukl {
namespace {

// One way through: from one socket to the other.
struct Way {
  int from, to;
  std::vector<char> bytes;
  bool open = true; // more may come

  // What it waits for now.
  pollfd event() const {
    if (!bytes.empty())
      return {to, POLLOUT, 0};
    return {open ? from : -1, POLLIN, 0};
  }

  // False if the connection is broken.
  bool carry() {
    if (bytes.empty()) {
      char buffer[65536];
      const ssize_t got = recv(from, buffer, sizeof buffer, 0);
      if (got < 0)
        return errno == EAGAIN || errno == EINTR;
      if (got == 0) {
        open = false;
        shutdown(to, SHUT_WR);
        return true;
      }
      bytes.assign(buffer, buffer + got);
    }
    const ssize_t sent = send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0)
      return errno == EAGAIN || errno == EINTR;
    bytes.erase(bytes.begin(), bytes.begin() + sent);
    return true;
  }
};

struct Pair {
  FileDescriptor client, server;
  std::array<Way, 2> ways;

  Pair(FileDescriptor one, FileDescriptor other)
      : client(std::move(one)), server(std::move(other)), ways{Way{client.get(), server.get(), {}},
                                                               Way{server.get(), client.get(), {}}} {
    for (const auto* socket : {&client, &server})
      fcntl(socket->get(), F_SETFL, fcntl(socket->get(), F_GETFL) | O_NONBLOCK);
  }

  bool ended() const {
    return !ways[0].open && !ways[1].open && ways[0].bytes.empty() && ways[1].bytes.empty();
  }
  bool server_ended() const { return !ways[1].open; }
  // The client has all that the server had to say.
  bool delivered() const { return server_ended() && ways[1].bytes.empty(); }
};

class Carrier {
public:
  Carrier(std::vector<FileDescriptor> clients, FileDescriptor listener, int stop, const sockaddr_in& server,
          EarlyClients::Listening listening)
      : clients_(std::move(clients)), listener_(std::move(listener)), stop_(stop), server_(server),
        always_(listening == EarlyClients::Listening::always) {}

  void run() {
    const auto end = Clock::now() + kStragglers;
    for (auto& client : clients_)
      serve(std::move(client));
    accept_all();
    while (listener_ || !pairs_.empty()) {
      if (!always_ && Clock::now() >= end)
        listener_ = FileDescriptor();
      // Nobody waits for a client whose server has gone and who takes nothing.
      const bool only_rest = std::ranges::all_of(pairs_, &Pair::server_ended);
      auto patience = only_rest ? kPatience : milliseconds(-1);
      if (listener_ && always_)
        patience = milliseconds(-1);
      else if (listener_)
        patience = std::chrono::ceil<milliseconds>(end - Clock::now());
      if (!wait(patience) && !listener_)
        return;
    }
  }

private:
  using Clock = std::chrono::steady_clock;
  using milliseconds = std::chrono::milliseconds;
  static constexpr milliseconds kPatience{10'000}, kStragglers{1000};

  void serve(FileDescriptor client) {
    FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (socket && connect(socket.get(), reinterpret_cast<const sockaddr*>(&server_), sizeof server_) == 0)
      pairs_.emplace_back(std::move(client), std::move(socket));
  }

  void accept_all() {
    while (FileDescriptor client{accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)})
      serve(std::move(client));
  }

  // False if nothing happened for so long; negative: waits as long as it takes.
  bool wait(milliseconds patience) {
    std::vector<pollfd> events;
    for (const auto& pair : pairs_)
      for (const auto& way : pair.ways)
        events.push_back(way.event());
    const std::size_t ways = events.size();
    events.push_back({listener_.get(), POLLIN, 0});
    events.push_back({stopping_ ? -1 : stop_, POLLIN, 0});
    const int ready = poll(events.data(), events.size(), static_cast<int>(patience.count()));
    if (ready <= 0)
      return ready < 0;
    carry(events);
    if (events[ways].revents)
      accept_all();
    if (events[ways + 1].revents) {
      listener_ = FileDescriptor();
      stopping_ = true;
    }
    // With the machine, nobody is left to hear what a client may still say.
    if (stopping_)
      std::erase_if(pairs_, [](const Pair& pair) { return pair.delivered(); });
    return true;
  }

  void carry(const std::vector<pollfd>& events) {
    std::vector<Pair> left;
    for (std::size_t at = 0; at < pairs_.size(); ++at) {
      auto& pair = pairs_[at];
      bool good = true;
      for (std::size_t way = 0; way < pair.ways.size(); ++way)
        if (events[2 * at + way].revents)
          good = good && pair.ways.at(way).carry();
      if (good && !pair.ended())
        left.push_back(std::move(pair));
    }
    pairs_ = std::move(left);
  }

  std::vector<FileDescriptor> clients_;
  FileDescriptor listener_;
  bool stopping_ = false;
  int stop_;
  sockaddr_in server_;
  bool always_;
  std::vector<Pair> pairs_;
};

} // namespace

Result<EarlyClients> EarlyClients::serve(std::vector<FileDescriptor> clients, FileDescriptor listener,
                                         const sockaddr_in& server, Listening listening) {
  EarlyClients result;
  result.stop_ = FileDescriptor(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!result.stop_)
    return file_error("event", "create", errno);
  // Signals are for the main thread.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int error = 0;
  try {
    result.thread_ =
        std::thread([carrier = Carrier(std::move(clients), std::move(listener), result.stop_.get(), server,
                                       listening)]() mutable { carrier.run(); });
  } catch (const std::system_error& failed) {
    error = failed.code().value();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (error != 0)
    return file_error("thread", "start", error);
  return result;
}

EarlyClients::~EarlyClients() {
  if (!thread_.joinable())
    return;
  const std::uint64_t one = 1;
  [[maybe_unused]] const ssize_t ignored = write(stop_.get(), &one, sizeof one);
  thread_.join();
}

} // namespace ukl
