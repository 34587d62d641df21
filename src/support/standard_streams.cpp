// SPDX-License-Identifier: GPL-2.0-only
#include "support/standard_streams.hpp"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ukl {
namespace {

constexpr std::size_t kBuffer = 1 << 16;

std::array<bool, 3> closed_at_start = {};
std::string collected;
int first_error = 0; // errno of the first write to standard output that failed

void write_collected() {
  if (!collected.empty() && first_error == 0)
    first_error = was_closed(STDOUT_FILENO) ? EBADF : write_all(STDOUT_FILENO, collected);
  collected.clear();
}

} // namespace

int write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = write(descriptor, text.data(), text.size());
    if (put >= 0) {
      text.remove_prefix(static_cast<std::size_t>(put));
    } else if (errno == EAGAIN) {
      // Somebody else's end of the same pipe or terminal may have made it non-blocking.
      pollfd wait = {descriptor, POLLOUT, 0};
      poll(&wait, 1, -1);
    } else if (errno != EINTR) {
      return errno;
    }
  }
  return 0;
}

void open_standard_streams() {
  for (int descriptor = 0; descriptor < 3; ++descriptor)
    if (fcntl(descriptor, F_GETFD) < 0 && errno == EBADF) {
      closed_at_start[static_cast<std::size_t>(descriptor)] = true;
      // The lowest free number, which is this one. Children inherit it.
      [[maybe_unused]] const int opened = open("/dev/null", O_RDWR);
    }
}

bool was_closed(int descriptor) {
  return descriptor >= 0 && descriptor < 3 && closed_at_start[static_cast<std::size_t>(descriptor)];
}

void print_output(std::string_view text) {
  collected += text;
  if (collected.size() >= kBuffer)
    write_collected();
}

Result<void> flush_output() {
  write_collected();
  if (first_error == 0)
    return {};
  const bool full = first_error == ENOSPC || first_error == EDQUOT || first_error == EFBIG;
  return Error{full ? Failure::disk_full : Failure::unwritable,
               fmt::format("cannot write standard output: {}", std::strerror(first_error)),
               "what was printed is not complete: send it somewhere else"};
}

std::size_t output_width() {
  winsize size = {};
  return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

void print_message(std::string_view text) {
  write_all(STDERR_FILENO, text);
}

} // namespace ukl
