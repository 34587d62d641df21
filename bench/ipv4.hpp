// SPDX-License-Identifier: GPL-2.0-only
// Addresses as the socket calls want them.
#pragma once

#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>
#include <string>

namespace ukl::bench {

/// `host` in dotted form, `port` in the host's byte order. Source: ip(7).
inline sockaddr_in ipv4_address(const std::string& host, int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, host.c_str(), &address.sin_addr);
  return address;
}

} // namespace ukl::bench
