// SPDX-License-Identifier: GPL-2.0-only
// The host's side of a forwarded port, as Linux takes it.
#pragma once

#include "machine/options.hpp"

#include <sys/socket.h>

namespace ukl {

struct SocketAddress {
  sockaddr_storage storage = {};
  socklen_t size = 0;

  /// Where it listens.
  static SocketAddress of(const Forward& forward);
  /// How a client of this machine reaches that: 0.0.0.0 and [::] are not an address to connect to.
  static SocketAddress for_client(const Forward& forward);

  int family() const { return storage.ss_family; }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

} // namespace ukl
