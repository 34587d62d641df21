// SPDX-License-Identifier: GPL-2.0-only
#include "http_get.hpp"

#include "deadline.hpp"

#include <arpa/inet.h>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr std::size_t kMostBytes = 1 << 20;
constexpr std::uint16_t kPort = 80;

bool connect_in_time(int fd, const char* address, const Deadline& deadline) {
  sockaddr_in server = {};
  server.sin_family = AF_INET;
  server.sin_port = htons(kPort);
  if (inet_pton(AF_INET, address, &server.sin_addr) != 1)
    return false;
  if (connect(fd, reinterpret_cast<const sockaddr*>(&server), sizeof server) == 0)
    return true;
  if (errno != EINPROGRESS || !deadline.wait(fd, POLLOUT))
    return false;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  errno = error;
  return error == 0;
}

bool send_all(int fd, std::string_view text, const Deadline& deadline) {
  while (!text.empty()) {
    const ssize_t sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR)
      return false;
    if (sent < 0 && !deadline.wait(fd, POLLOUT))
      return false;
    text.remove_prefix(sent > 0 ? static_cast<std::size_t>(sent) : 0);
  }
  return true;
}

bool receive_all(int fd, std::string& answer, const Deadline& deadline) {
  char buffer[4096];
  while (answer.size() < kMostBytes) {
    if (!deadline.wait(fd, POLLIN))
      return false;
    const ssize_t got = recv(fd, buffer, sizeof buffer, 0);
    if (got == 0)
      return true;
    if (got > 0)
      answer.append(buffer, static_cast<std::size_t>(got));
    else if (errno != EAGAIN && errno != EINTR)
      return false;
  }
  errno = EFBIG;
  return false;
}

// A header's value; the first line is the status.
std::string_view header_of(std::string_view head, std::string_view name) {
  for (auto end = head.find("\r\n"); end != std::string_view::npos; end = head.find("\r\n")) {
    head.remove_prefix(end + 2);
    if (head.size() <= name.size() || head[name.size()] != ':')
      continue;
    bool same = true;
    for (std::size_t i = 0; i < name.size(); ++i)
      same = same && tolower(static_cast<unsigned char>(head[i])) == name[i];
    if (!same)
      continue;
    auto value = head.substr(name.size() + 1, head.find("\r\n") - name.size() - 1);
    while (!value.empty() && value[0] == ' ')
      value.remove_prefix(1);
    return value;
  }
  return {};
}

} // namespace

std::optional<std::string> http_body(std::string_view answer) {
  const auto end = answer.find("\r\n\r\n");
  if (end == std::string_view::npos || !answer.starts_with("HTTP/1.") || answer.substr(8, 5) != " 200 ")
    return std::nullopt;
  const auto head = answer.substr(0, end + 2);
  auto body = answer.substr(end + 4);
  // A question of HTTP/1.0 is not answered in pieces.
  if (!header_of(head, "transfer-encoding").empty())
    return std::nullopt;
  if (const auto length = header_of(head, "content-length"); !length.empty()) {
    const auto size = strtoul(std::string(length).c_str(), nullptr, 10);
    if (body.size() < size)
      return std::nullopt;
    body = body.substr(0, size);
  }
  return std::string(body);
}

std::optional<std::string> ask_http(const HttpQuestion& question) {
  const Deadline deadline(question.milliseconds);
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return std::nullopt;
  std::string text = question.method;
  text += " " + question.path + " HTTP/1.0\r\nHost: " + question.address + "\r\n" + question.headers + "\r\n";
  std::string answer;
  const bool whole = connect_in_time(fd, question.address, deadline) && send_all(fd, text, deadline) &&
                     receive_all(fd, answer, deadline);
  const int error = errno;
  close(fd);
  errno = error;
  if (!whole)
    return std::nullopt;
  errno = EPROTO;
  return http_body(answer);
}

} // namespace ukl::init
