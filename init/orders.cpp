// SPDX-License-Identifier: GPL-2.0-only
#include "orders.hpp"

#include "ending.hpp"

#include <csignal>
#include <fcntl.h>
#include <sys/signalfd.h>
#include <unistd.h>

namespace ukl::init {
namespace {

// CONFIG_ACPI_TINY_POWER_BUTTON_SIGNAL in kernel/profiles/base.config. As a number, because SIGRTMIN is the
// C library's.
constexpr int kPowerButton = 38;

int orders = -1;

} // namespace

int open_orders() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, kPowerButton);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  orders = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (orders < 0)
    fail("cannot wait for the power button" + reason());
  // Linux executes this program for it. A kernel without the setting is never told.
  const int fd = open("/proc/sys/kernel/poweroff_cmd", O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return orders;
  constexpr char command[] = "/init end";
  if (write(fd, command, sizeof command - 1) < 0)
    say("cannot say how to switch off in order" + reason());
  close(fd);
  return orders;
}

bool told_to_end() {
  bool told = false;
  signalfd_siginfo drained;
  while (read(orders, &drained, sizeof drained) > 0)
    told = true;
  return told;
}

int pass_order_on() {
  return kill(1, kPowerButton) == 0 ? 0 : 1;
}

} // namespace ukl::init
