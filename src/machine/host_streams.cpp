// SPDX-License-Identifier: GPL-2.0-only
#include "machine/host_streams.hpp"

#include "support/standard_streams.hpp"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace ukl {
namespace {

StreamKind look_at(int descriptor) {
  struct stat status;
  if (was_closed(descriptor) || fstat(descriptor, &status) != 0)
    return StreamKind::closed;
  if (isatty(descriptor))
    return StreamKind::terminal;
  // Linux's Documentation/admin-guide/devices.txt: 1:3 is /dev/null.
  const bool null = S_ISCHR(status.st_mode) && status.st_rdev == makedev(1, 3);
  return null ? StreamKind::null : StreamKind::pipe;
}

bool is_same_file(int one, int other) {
  struct stat first, second;
  return fstat(one, &first) == 0 && fstat(other, &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

const char* name_of(StreamKind kind) {
  switch (kind) {
  case StreamKind::terminal:
    return "terminal";
  case StreamKind::pipe:
    return "pipe";
  case StreamKind::null:
    return "null";
  case StreamKind::output:
    return "output";
  case StreamKind::closed:
    break;
  }
  return "closed";
}

} // namespace

bool HostStreams::has_terminal() const {
  return terminal() >= 0;
}

int HostStreams::terminal() const {
  for (const auto& [kind, descriptor] :
       {std::pair(output, STDOUT_FILENO), {error, STDERR_FILENO}, {input, STDIN_FILENO}})
    if (kind == StreamKind::terminal)
      return descriptor;
  return -1;
}

std::string HostStreams::word() const {
  return fmt::format("{},{},{}", name_of(input), name_of(output), name_of(error));
}

HostStreams look_at_host_streams() {
  HostStreams streams = {look_at(STDIN_FILENO), look_at(STDOUT_FILENO), look_at(STDERR_FILENO)};
  // Two ports would not keep the order of what is written to one file in turns.
  if (streams.output == StreamKind::pipe && streams.error == StreamKind::pipe &&
      is_same_file(STDOUT_FILENO, STDERR_FILENO))
    streams.error = StreamKind::output;
  return streams;
}

std::string window_size(int terminal, char separator) {
  winsize size = {};
  if (ioctl(terminal, TIOCGWINSZ, &size) != 0)
    return {};
  return fmt::format("{1}{0}{2}{0}{3}{0}{4}", separator, size.ws_row, size.ws_col, size.ws_xpixel,
                     size.ws_ypixel);
}

} // namespace ukl
