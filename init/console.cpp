// SPDX-License-Identifier: GPL-2.0-only
#include "console.hpp"

#include "ports.hpp"
#include "ukl/manifest.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace ukl::init {

void open_console() {
  const int fd = open("/dev/console", O_RDWR | O_NOCTTY);
  if (fd < 0)
    return; // a machine without any console: the program's output goes where Linux put it, which is nowhere
  for (int standard = 0; standard <= 2; ++standard)
    dup2(fd, standard);
  if (fd > 2)
    close(fd);

  // init and not the program leads the session: a leader's end hangs up the terminal and drops what it still
  // holds.
  setsid();
  ioctl(STDIN_FILENO, TIOCSCTTY, 0);

  termios terminal;
  if (tcgetattr(STDIN_FILENO, &terminal) != 0)
    return;
  cfmakeraw(&terminal);
  // Linux waits for the speed's sake when it drains the line; the hypervisor's line has none.
  cfsetspeed(&terminal, B115200);
  tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
}

void open_input() {
  const int fd = open_port(kInputPort, 0);
  if (fd < 0)
    return;
  dup2(fd, STDIN_FILENO);
  close(fd);
}

void give_console_to(uid_t user) {
  for (int standard = 0; standard <= 2; ++standard)
    if (fchown(standard, user, static_cast<gid_t>(-1)) != 0)
      return;
}

void set_foreground(pid_t group) {
  tcsetpgrp(STDOUT_FILENO, group);
}

} // namespace ukl::init
