// SPDX-License-Identifier: GPL-2.0-only
// An IPv4 address as ioctl(2) takes it (netdevice(7), route of <net/route.h>).
#pragma once

#include <cstring>
#include <netinet/in.h>

namespace ukl::init {

inline sockaddr internet_address(in_addr address) {
  sockaddr_in internet = {};
  internet.sin_family = AF_INET;
  internet.sin_addr = address;
  sockaddr result;
  memcpy(&result, &internet, sizeof result);
  return result;
}

} // namespace ukl::init
