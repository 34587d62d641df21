// SPDX-License-Identifier: GPL-2.0-only
#include "control.hpp"

#include "ports.hpp"

#include <cerrno>
#include <poll.h>
#include <unistd.h>
#include <utility>

namespace ukl::init {
namespace {

int port = -1;
std::string unread;
std::vector<HostMessage> kept;

void close_port() {
  close(port);
  port = -1;
}

} // namespace

void open_control(const Manifest& settings) {
  if (value_of(settings, key::streams).empty())
    return;
  port = open_port(kControlPort);
  // A write waits until the host side is connected (Linux's drivers/char/virtio_console.c). QEMU numbers the
  // control port last and Linux is told of ports in order, so the others are connected as well.
  report("init");
}

int control_descriptor() {
  return port;
}

bool has_messages() {
  return !kept.empty();
}

std::string wait_for_message(std::string_view word, int milliseconds) {
  std::vector<HostMessage> others;
  std::string rest;
  for (pollfd event = {port, POLLIN, 0}; rest.empty() && port >= 0 && poll(&event, 1, milliseconds) > 0;)
    for (auto& message : read_control()) {
      if (message.word == word)
        rest = message.rest;
      else
        others.push_back(std::move(message));
    }
  kept.insert(kept.end(), others.begin(), others.end());
  return rest;
}

std::vector<HostMessage> read_control() {
  if (!kept.empty())
    return std::exchange(kept, {});
  std::vector<HostMessage> messages;
  char buffer[256];
  const ssize_t got = read(port, buffer, sizeof buffer);
  if (got > 0)
    unread.append(buffer, static_cast<std::size_t>(got));
  else if (got == 0 || errno != EINTR)
    close_port();
  for (std::size_t end; (end = unread.find('\n')) != std::string::npos; unread.erase(0, end + 1)) {
    const std::string line = unread.substr(0, end);
    const auto blank = line.find(' ');
    messages.push_back({line.substr(0, blank), blank == std::string::npos ? "" : line.substr(blank + 1)});
  }
  return messages;
}

void report(const std::string& line) {
  const std::string text = line + "\n";
  if (port >= 0 && write(port, text.data(), text.size()) < 0)
    close_port();
}

} // namespace ukl::init
