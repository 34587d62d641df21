// SPDX-License-Identifier: GPL-2.0-only
// What one of a machine's network cards is connected to.
#pragma once

#include "support/result.hpp"

#include <string>
#include <vector>

namespace ukl {

struct HostNetwork {
  enum class Kind {
    user,     ///< QEMU's own: NAT, needs no rights; ports are forwarded to it
    passt,    ///< the same through passt(1): IPv6 ports too, and faster
    tap,      ///< a tap device of this machine, which its user may open (ip tuntap add … user …)
    bridge,   ///< a bridge of this machine, through a tap device of ours or QEMU's qemu-bridge-helper
    named,    ///< a network that `ukl network create` made (named_networks.hpp)
    machines, ///< other machines of this user that name the same network, and nothing else
              ///< (private_network.hpp)
    none,     ///< no card
  };
  Kind kind = Kind::user;
  std::string name; ///< of the tap device, bridge or network; whatever its machines call it
  std::string mac;  ///< empty: one that follows from the machine's name, so that two differ
  std::vector<std::string> addresses =
      {};              ///< with prefix lengths; empty: the image's, or what the kind gives
  unsigned queues = 1; ///< in each direction
  bool vhost = false;  ///< Linux carries the packets, and not QEMU

  /// Whether others are there, whose addresses and routers are not QEMU's to choose.
  bool is_shared() const;

  /// `user`, `passt`, `tap:NAME`, `bridge:NAME`, `private:NAME`, `none`, or the name of a network; behind it
  /// `,ip=ADDRESS` (one of IPv4, one of IPv6) and `,mac=MAC`. Error: usage.
  static Result<HostNetwork> parse(const std::string& text);
  /// The same again.
  std::string text() const;
  /// The bridge that the card is on.
  std::string bridge() const;
};

/// Six bytes in hexadecimal, which are no multicast address. Error: usage.
Result<std::string> parse_mac(const std::string& text);
/// An address of those that anybody may give (the second bit of the first byte), always the same for a name.
std::string mac_for(const std::string& name);

/// Whether this machine has the device, and we may use it. Errors: not_found, usage (it is no tap device),
/// unreadable (no right to it), port_in_use (another machine has it), missing_tool.
Result<void> check_host_network(const HostNetwork& network);
/// Queues and vhost-net as device, processors and accelerator allow. A tap device that was made for several
/// queues has at least two.
void choose_queues(HostNetwork& network, unsigned cpus, bool kvm);

} // namespace ukl
