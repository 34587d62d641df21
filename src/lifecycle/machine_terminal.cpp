// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/machine_terminal.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>

namespace ukl {
namespace {

constexpr std::size_t kLongestLine = 4096;

} // namespace

Result<MachineTerminal> MachineTerminal::create(std::string_view size) {
  MachineTerminal terminal;
  terminal.master = FileDescriptor(posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  char name[64];
  if (!terminal.master || grantpt(terminal.master.get()) != 0 || unlockpt(terminal.master.get()) != 0 ||
      ptsname_r(terminal.master.get(), name, sizeof name) != 0)
    return file_error("/dev/ptmx", "write", errno);
  terminal.slave = FileDescriptor(open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  if (!terminal.slave)
    return file_error(name, "write", errno);
  fcntl(terminal.master.get(), F_SETFL, O_RDWR | O_NONBLOCK);
  set_window_size(terminal.master.get(), size);
  return terminal;
}

void set_window_size(int terminal, std::string_view size) {
  winsize window = {};
  if (std::sscanf(std::string(size).c_str(), "%hu %hu %hu %hu", &window.ws_row, &window.ws_col,
                  &window.ws_xpixel, &window.ws_ypixel) >= 2)
    ioctl(terminal, TIOCSWINSZ, &window);
}

void UnfinishedLine::add(std::string_view bytes) {
  if (const auto end = bytes.rfind('\n'); end != std::string_view::npos) {
    text_.clear();
    bytes.remove_prefix(end + 1);
  }
  text_ += bytes;
  if (text_.size() > kLongestLine)
    text_.erase(0, text_.size() - kLongestLine);
}

} // namespace ukl
