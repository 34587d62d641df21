// SPDX-License-Identifier: GPL-2.0-only
#include "machine/socket_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

namespace ukl {

SocketAddress SocketAddress::of(const Forward& forward) {
  SocketAddress result;
  if (forward.ipv6()) {
    auto& address = reinterpret_cast<sockaddr_in6&>(result.storage);
    address.sin6_family = AF_INET6;
    address.sin6_port = htons(forward.host_port);
    inet_pton(AF_INET6, forward.host_address.c_str(), &address.sin6_addr);
    result.size = sizeof address;
  } else {
    auto& address = reinterpret_cast<sockaddr_in&>(result.storage);
    address.sin_family = AF_INET;
    address.sin_port = htons(forward.host_port);
    inet_pton(AF_INET, forward.host_address.c_str(), &address.sin_addr);
    result.size = sizeof address;
  }
  return result;
}

SocketAddress SocketAddress::for_client(const Forward& forward) {
  auto result = of(forward);
  if (result.family() == AF_INET6) {
    auto& address = reinterpret_cast<sockaddr_in6&>(result.storage).sin6_addr;
    if (IN6_IS_ADDR_UNSPECIFIED(&address))
      address = in6addr_loopback;
  } else if (auto& address = reinterpret_cast<sockaddr_in&>(result.storage).sin_addr;
             address.s_addr == htonl(INADDR_ANY)) {
    address.s_addr = htonl(INADDR_LOOPBACK);
  }
  return result;
}

} // namespace ukl
