// SPDX-License-Identifier: GPL-2.0-only
// What the machine's network card is connected to.
#pragma once

#include "support/result.hpp"

#include <string>

namespace ukl {

struct HostNetwork {
  enum class Kind {
    user,   ///< QEMU's own: NAT, needs no rights; ports are forwarded to it
    tap,    ///< a tap device of this machine, which its user may open (ip tuntap add … user …)
    bridge, ///< a bridge of this machine, through QEMU's qemu-bridge-helper
    none,   ///< no card
  };
  Kind kind = Kind::user;
  std::string name; ///< of the tap device or bridge
  std::string mac;  ///< empty: one that follows from the machine's name, so that two differ

  /// `user`, `tap:NAME`, `bridge:NAME` or `none`. Error: usage.
  static Result<HostNetwork> parse(const std::string& text);
};

/// Six bytes in hexadecimal, which are no multicast address. Error: usage.
Result<std::string> parse_mac(const std::string& text);
/// An address of those that anybody may give (the second bit of the first byte), always the same for a name.
std::string mac_for(const std::string& name);

/// Whether this machine has the device, and we may use it. Errors: not_found, usage (it is no tap device),
/// unreadable (no right to it), missing_tool (qemu-bridge-helper).
Result<void> check_host_network(const HostNetwork& network);

} // namespace ukl
