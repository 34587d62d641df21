// SPDX-License-Identifier: GPL-2.0-only
#include "console.hpp"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace ukl::init {

void open_console() {
  int fd = open("/dev/console", O_RDWR | O_NOCTTY);
  if (fd < 0)
    fd = open("/dev/null", O_RDWR); // a machine without any console
  if (fd < 0)
    return;
  for (int standard = 0; standard <= 2; ++standard)
    dup2(fd, standard);
  if (fd > 2)
    close(fd);

  termios terminal;
  if (tcgetattr(STDIN_FILENO, &terminal) != 0)
    return;
  cfmakeraw(&terminal);
  // Linux waits for the speed's sake when it drains the line; the hypervisor's line has none.
  cfsetspeed(&terminal, B115200);
  tcsetattr(STDIN_FILENO, TCSANOW, &terminal);
}

void take_terminal(int descriptor) {
  setsid();
  ioctl(descriptor, TIOCSCTTY, 0);
}

} // namespace ukl::init
