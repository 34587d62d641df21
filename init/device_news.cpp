// SPDX-License-Identifier: GPL-2.0-only
#include "device_news.hpp"

#include <linux/netlink.h>
#include <sys/socket.h>

namespace ukl::init {

// Linux's messages about devices (kobject_uevent(7) of sorts: lib/kobject_uevent.c).
int open_device_news() {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = 1;
  if (fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return fd;
  close(fd);
  return -1;
}

void drain_device_news(int news) {
  char message[8192];
  while (recv(news, message, sizeof message, 0) > 0) {
  }
}

} // namespace ukl::init
