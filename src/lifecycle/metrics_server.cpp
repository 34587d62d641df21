// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/metrics_server.hpp"
#include "support/interrupt.hpp"

#include <cerrno>
#include <chrono>
#include <fmt/format.h>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kPatience{2000};
constexpr std::size_t kLongestRequest = 16384;

bool wait_for(int socket, short events, Clock::time_point end) {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now()).count();
  pollfd wait[] = {{socket, events, 0}, {interrupt_descriptor(), POLLIN, 0}};
  return left > 0 && poll(wait, 2, static_cast<int>(left)) > 0 && wait[0].revents && !interrupted();
}

// True once a whole request came: its lines, and an empty one.
bool read_request(int socket, Clock::time_point end) {
  std::string request;
  while (request.find("\r\n\r\n") == std::string::npos && request.find("\n\n") == std::string::npos) {
    char buffer[4096];
    const ssize_t got = wait_for(socket, POLLIN, end) ? recv(socket, buffer, sizeof buffer, 0) : 0;
    if (got <= 0 || request.size() > kLongestRequest)
      return false;
    request.append(buffer, static_cast<std::size_t>(got));
  }
  return request.starts_with("GET ");
}

void answer(int socket, const std::function<Result<std::string>()>& make_text) {
  const auto end = Clock::now() + kPatience;
  const bool good = read_request(socket, end);
  const auto text = good ? make_text() : Result<std::string>(std::string());
  const auto* status = !good ? "400 Bad Request" : !text ? "500 Internal Server Error" : "200 OK";
  const auto body = text ? *text : text.error().message + "\n";
  const auto all =
      fmt::format("HTTP/1.1 {}\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Length: {}\r\n"
                  "Connection: close\r\n\r\n{}",
                  status, body.size(), body);
  for (std::size_t sent = 0; sent < all.size() && wait_for(socket, POLLOUT, end);) {
    const ssize_t put = send(socket, all.data() + sent, all.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (put < 0 && errno != EAGAIN && errno != EINTR)
      return;
    sent += put > 0 ? static_cast<std::size_t>(put) : 0;
  }
}

} // namespace

Result<FileDescriptor> listen_for_http(const std::string& text) {
  const auto colon = text.rfind(':');
  auto address = colon == std::string::npos ? "127.0.0.1" : text.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']'))
    address = address.substr(1, address.size() - 2);
  const auto port = colon == std::string::npos ? text : text.substr(colon + 1);
  addrinfo wanted = {}, *list = nullptr;
  wanted.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE;
  wanted.ai_socktype = SOCK_STREAM;
  if (port.empty() || getaddrinfo(address.c_str(), port.c_str(), &wanted, &list) != 0)
    return Error{Failure::usage, fmt::format("'{}' is no address to listen on", text),
                 "as in 9500, 0.0.0.0:9500 or [::1]:9500"};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(list, freeaddrinfo);
  FileDescriptor listener(socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (listener && bind(listener.get(), list->ai_addr, list->ai_addrlen) == 0 &&
      listen(listener.get(), 16) == 0)
    return listener;
  if (errno == EADDRINUSE)
    return Error{Failure::port_in_use, fmt::format("{} is in use", text), "take another port"};
  return file_error(text, "write", errno);
}

void serve_http(const FileDescriptor& listener, const std::function<Result<std::string>()>& make_text) {
  while (!interrupted()) {
    pollfd wait[] = {{listener.get(), POLLIN, 0}, {interrupt_descriptor(), POLLIN, 0}};
    poll(wait, 2, -1);
    const FileDescriptor client(
        wait[0].revents ? accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK) : -1);
    if (client)
      answer(client.get(), make_text);
  }
}

} // namespace ukl
