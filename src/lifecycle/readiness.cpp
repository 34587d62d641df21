// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/readiness.hpp"
#include "machine/socket_address.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kAnswer{500};

Error not_understood(const std::string& text, const std::string& why) {
  return {Failure::usage, fmt::format("--wait-ready {} is not understood: {}", text, why),
          "write tcp:PORT, http:PORT/PATH or log:REGEX, with ,SECONDS behind it; for example tcp:80,30"};
}

// Takes `,SECONDS` off the end, if that is what stands there.
std::string take_time(const std::string& text, std::chrono::milliseconds& most) {
  const auto comma = text.rfind(',');
  if (comma == std::string::npos || comma + 1 == text.size())
    return text;
  auto number = text.substr(comma + 1);
  if (number.back() == 's')
    number.pop_back();
  const auto time = parse_timeout(number);
  if (!time || !*time)
    return text;
  most = **time;
  return text.substr(0, comma);
}

bool wait_for(int socket, short what, Clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
  pollfd wait = {socket, what, 0};
  return left > 0 && poll(&wait, 1, static_cast<int>(left)) > 0;
}

} // namespace

Result<Readiness> Readiness::parse(const std::string& text, const std::vector<Forward>& forwards) {
  Readiness ready;
  ready.text = text;
  if (text.empty())
    return ready;
  const auto condition = take_time(text, ready.most);
  const auto colon = condition.find(':');
  const auto kind = condition.substr(0, colon);
  const auto rest = colon == std::string::npos ? std::string() : condition.substr(colon + 1);
  if (kind == "log") {
    ready.kind = Kind::log;
    try {
      ready.line.assign(rest, std::regex::ECMAScript | std::regex::optimize);
    } catch (const std::regex_error& error) {
      return not_understood(text, fmt::format("'{}' is no regular expression ({})", rest, error.what()));
    }
    return rest.empty() ? Result<Readiness>(not_understood(text, "the expression is empty")) : ready;
  }
  if (kind != "tcp" && kind != "http")
    return not_understood(text, fmt::format("'{}' is none of tcp, http and log", kind));
  const auto slash = std::min(rest.find('/'), rest.size());
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + slash, ready.port);
  if (error != std::errc() || end != rest.data() + slash || ready.port == 0 ||
      (kind == "tcp" && slash != rest.size()))
    return not_understood(text, fmt::format("'{}' is not a port", rest));
  ready.kind = kind == "tcp" ? Kind::tcp : Kind::http;
  if (ready.kind == Kind::tcp)
    return ready;
  ready.path = slash == rest.size() ? "/" : rest.substr(slash);
  const auto forward = std::ranges::find_if(
      forwards, [&](const Forward& one) { return one.protocol == "tcp" && one.guest_port == ready.port; });
  if (forward == forwards.end())
    return Error{Failure::usage, fmt::format("--wait-ready {}: port {} is not published", text, ready.port),
                 fmt::format("add -p 8080:{}, or take tcp:{}", ready.port, ready.port)};
  ready.to = *forward;
  return ready;
}

bool answers_http(const Readiness& readiness) {
  const auto end = Clock::now() + kAnswer;
  const auto address = SocketAddress::for_client(*readiness.to);
  const int fd = socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const auto request =
      fmt::format("GET {} HTTP/1.0\r\nHost: localhost\r\nConnection: close\r\n\r\n", readiness.path);
  std::string head;
  if ((connect(fd, address.get(), address.size) == 0 || errno == EINPROGRESS) && wait_for(fd, POLLOUT, end) &&
      ::send(fd, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size()))
    // HTTP/1.1 200 OK
    while (head.size() < 12 && wait_for(fd, POLLIN, end)) {
      char buffer[64];
      const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
      if (got <= 0)
        break;
      head.append(buffer, static_cast<std::size_t>(got));
    }
  close(fd);
  return head.size() >= 12 && head.starts_with("HTTP/1.") && (head[9] == '2' || head[9] == '3');
}

} // namespace ukl
