// SPDX-License-Identifier: GPL-2.0-only
#include "control.hpp"

#include "ports.hpp"
#include "ukl/manifest.hpp"

#include <cerrno>
#include <cstdlib>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr std::string_view kSignal = "signal ";

int port = -1;
std::string unread;

void close_port() {
  close(port);
  port = -1;
}

void write_line(const std::string& line) {
  if (port >= 0 && write(port, line.data(), line.size()) < 0)
    close_port();
}

} // namespace

void open_control() {
  port = open_port(kControlPort, kWaitForPorts);
}

int control_descriptor() {
  return port;
}

std::vector<int> read_control() {
  std::vector<int> signals;
  char buffer[256];
  const ssize_t got = read(port, buffer, sizeof buffer);
  if (got > 0)
    unread.append(buffer, static_cast<std::size_t>(got));
  else if (got == 0 || errno != EINTR)
    close_port();
  for (std::size_t end; (end = unread.find('\n')) != std::string::npos; unread.erase(0, end + 1))
    if (unread.starts_with(kSignal))
      signals.push_back(atoi(unread.c_str() + kSignal.size()));
  return signals;
}

void report_started() {
  write_line("started\n");
}

void report_signalled(int signal) {
  write_line("signalled " + std::to_string(signal) + "\n");
}

void report_call(const std::string& number) {
  write_line("call " + number + "\n");
}

void report_status(int status) {
  write_line("status " + std::to_string(status) + "\n");
}

} // namespace ukl::init
