// SPDX-License-Identifier: GPL-2.0-only
#include "memcached_load.hpp"
#include "ipv4.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <string_view>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr unsigned kKeys = 1000, kValueSize = 100, kSetEvery = 10;
constexpr std::size_t kFrame =
    8; // of a datagram: request, sequence number, datagrams, reserved; 16 bits each
constexpr auto kLost = std::chrono::seconds(1);

Error failed(const std::string& what) {
  return {Failure::machine, "memcached: " + what, ""};
}

std::string key_of(unsigned number) {
  return fmt::format("key{:04}", number % kKeys);
}

std::string get_request(unsigned number) {
  return fmt::format("get {}\r\n", key_of(number));
}

std::string set_request(unsigned number) {
  return fmt::format("set {} 0 0 {}\r\n{}\r\n", key_of(number), kValueSize, std::string(kValueSize, 'v'));
}

struct Connection {
  FileDescriptor fd;
  std::string received;
  unsigned waiting = 0;    // answers still to come
  std::uint16_t frame = 0; // number of the last datagram
  Clock::time_point sent;
};

class Generator {
public:
  explicit Generator(const MemcachedLoad& wanted) : wanted_(wanted), epoll_(epoll_create1(EPOLL_CLOEXEC)) {}

  Result<void> connect_all() {
    connections_.resize(wanted_.connections);
    for (std::size_t i = 0; i < connections_.size(); ++i) {
      auto fd = connect_one(wanted_.udp);
      if (!fd)
        return fd.error();
      connections_[i].fd = std::move(*fd);
      epoll_event event = {};
      event.events = EPOLLIN;
      event.data.u64 = i;
      if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, connections_[i].fd.get(), &event) != 0)
        return failed(std::strerror(errno));
    }
    return {};
  }

  // Every key once, over TCP, and all answered before anything is measured.
  Result<void> fill() {
    auto fd = connect_one(false);
    if (!fd)
      return fd.error();
    std::string received;
    for (unsigned first = 0; first < kKeys; first += 50) {
      std::string requests;
      for (unsigned number = first; number < first + 50; ++number)
        requests += set_request(number);
      if (auto sent = send_all(fd->get(), requests); !sent)
        return sent;
      for (unsigned answered = 0; answered < 50;) {
        if (auto more = receive(fd->get(), received); !more)
          return more;
        auto taken = take_answers(received);
        if (!taken)
          return taken.error();
        answered += *taken;
      }
    }
    return {};
  }

  Result<Load> run() {
    const auto begin = Clock::now();
    const auto seconds = [](double count) {
      return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
    };
    warm_ = begin + seconds(wanted_.seconds / 10);
    const auto end = warm_ + seconds(wanted_.seconds);
    for (auto& connection : connections_)
      if (auto sent = send_batch(connection); !sent)
        return sent.error();
    while (Clock::now() < end) {
      if (interrupted())
        return Error{Failure::interrupted, "the benchmark was interrupted", ""};
      if (auto stepped = step(); !stepped)
        return stepped.error();
    }
    Load load;
    load.requests = static_cast<double>(latencies_.size());
    load.sent = answered_;
    load.rate = load.requests / wanted_.seconds;
    load.latency_50 = percentile(latencies_, 0.50);
    load.latency_99 = percentile(latencies_, 0.99);
    if (latencies_.empty())
      return failed("no answer at all");
    return load;
  }

private:
  Result<FileDescriptor> connect_one(bool udp) const {
    FileDescriptor fd(socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
    const auto address = ipv4_address(wanted_.host, wanted_.port);
    if (connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      return failed(std::strerror(errno));
    const int one = 1;
    const timeval limit = {5, 0};
    if (!udp)
      setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return fd;
  }

  static Result<void> send_all(int fd, const std::string& text) {
    for (std::size_t sent = 0; sent < text.size();) {
      const auto count = send(fd, text.data() + sent, text.size() - sent, MSG_NOSIGNAL);
      if (count < 0)
        return failed(std::strerror(errno));
      sent += static_cast<std::size_t>(count);
    }
    return {};
  }

  static Result<void> receive(int fd, std::string& received) {
    std::array<char, 65536> buffer;
    const auto count = recv(fd, buffer.data(), buffer.size(), 0);
    if (count < 0)
      return failed(std::strerror(errno));
    if (count == 0)
      return failed("the server closed a connection");
    received.append(buffer.data(), static_cast<std::size_t>(count));
    return {};
  }

  Result<void> send_batch(Connection& connection) {
    std::string requests;
    if (wanted_.udp) {
      connection.frame++;
      const char frame[kFrame] = {
          static_cast<char>(connection.frame >> 8), static_cast<char>(connection.frame), 0, 0, 0, 1};
      requests.assign(frame, kFrame);
      requests += get_request(next_++);
    } else {
      for (unsigned i = 0; i < wanted_.pipeline; ++i, ++next_)
        requests += next_ % kSetEvery == 0 ? set_request(next_) : get_request(next_);
    }
    connection.waiting = wanted_.udp ? 1 : wanted_.pipeline;
    connection.sent = Clock::now();
    return send_all(connection.fd.get(), requests);
  }

  // A datagram's answer, without its frame; that of an earlier request (which was sent again) is dropped.
  void unframe(Connection& connection) const {
    const auto number = connection.received.size() < kFrame
                            ? -1
                            : (static_cast<unsigned char>(connection.received[0]) << 8) |
                                  static_cast<unsigned char>(connection.received[1]);
    connection.received.erase(0, number == connection.frame ? kFrame : std::string::npos);
  }

  Result<void> answered(Connection& connection) {
    if (auto more = receive(connection.fd.get(), connection.received); !more)
      return more;
    if (wanted_.udp)
      unframe(connection);
    auto taken = take_answers(connection.received);
    if (!taken)
      return taken.error();
    const auto now = Clock::now();
    const auto latency = std::chrono::duration<float, std::micro>(now - connection.sent).count();
    answered_ += *taken;
    if (now >= warm_)
      latencies_.insert(latencies_.end(), *taken, latency);
    if (*taken > connection.waiting)
      return failed("more answers than requests");
    connection.waiting -= *taken;
    return connection.waiting == 0 ? send_batch(connection) : Result<void>();
  }

  Result<void> step() {
    std::array<epoll_event, 64> events;
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), 100);
    for (int i = 0; i < count; ++i)
      if (auto done = answered(connections_[events[i].data.u64]); !done)
        return done;
    if (!wanted_.udp || count > 0)
      return {};
    // Datagrams may be lost. The time that passed until then stays in no latency, but it lowers the rate.
    for (auto& connection : connections_)
      if (Clock::now() - connection.sent > kLost)
        if (auto sent = send_batch(connection); !sent)
          return sent;
    return {};
  }

  MemcachedLoad wanted_;
  FileDescriptor epoll_;
  std::vector<Connection> connections_;
  std::vector<float> latencies_;
  double answered_ = 0;
  unsigned next_ = 1;
  Clock::time_point warm_;
};

} // namespace

double percentile(std::vector<float>& values, double share) {
  if (values.empty())
    return 0;
  std::ranges::sort(values);
  const auto last = static_cast<double>(values.size() - 1);
  return values[static_cast<std::size_t>(std::lround(share * last))];
}

Result<unsigned> take_answers(std::string& received) {
  std::string_view rest = received;
  unsigned count = 0;
  while (true) {
    const auto line_end = rest.find("\r\n");
    if (line_end == std::string_view::npos)
      break;
    const auto line = rest.substr(0, line_end);
    if (line == "STORED") {
      rest.remove_prefix(line_end + 2);
    } else if (line.starts_with("VALUE ")) {
      const auto size = std::strtoul(std::string(line.substr(line.rfind(' ') + 1)).c_str(), nullptr, 10);
      const auto whole = line_end + 2 + size + std::string_view("\r\nEND\r\n").size();
      if (rest.size() < whole)
        break;
      if (rest.substr(whole - 7, 7) != "\r\nEND\r\n")
        return failed("a value does not end as it should");
      rest.remove_prefix(whole);
    } else {
      return failed(fmt::format("unexpected answer: {}", line.substr(0, 60)));
    }
    ++count;
  }
  received.erase(0, received.size() - rest.size());
  return count;
}

Result<Load> memcached_load(const MemcachedLoad& wanted) {
  Generator generator(wanted);
  if (auto connected = generator.connect_all(); !connected)
    return connected.error();
  return generator.run();
}

Result<void> memcached_fill(const std::string& host, int port) {
  MemcachedLoad wanted;
  wanted.host = host;
  wanted.port = port;
  return Generator(wanted).fill();
}

} // namespace ukl::bench
