// SPDX-License-Identifier: GPL-2.0-only
// What a machine's network cards are connected to on this machine, while it runs.
#pragma once

#include "machine/bridge_port.hpp"
#include "machine/ipv6_ports.hpp"
#include "machine/passt.hpp"
#include "machine/private_network.hpp"

#include <optional>

namespace ukl {

class HostCards {
public:
  /// Starts a passt for each card that wants one, joins bridges and private networks, and listens on IPv6
  /// addresses: afterwards `options.forwards` are those that are left for QEMU. `settings` are the machine's.
  /// Errors: those of Passt, join_bridge, PrivatePort and Ipv6Ports.
  static Result<HostCards> start(MachineOptions& options, const Manifest& settings);

  /// For each card the descriptors that QEMU has to inherit for it; none: it needs none.
  const std::vector<std::vector<int>>& descriptors() const { return descriptors_; }
  /// To be called once QEMU has them.
  void close_far_ends();
  /// Descriptors that become readable when a passt says something or ends.
  std::vector<int> watched() const;
  /// Reads what they said. An error if one has ended: the machine has lost that network for good. It is told
  /// once.
  std::optional<Error> look();

private:
  Result<void> connect(const HostNetwork& network, const Manifest& settings,
                       const std::filesystem::path& private_networks, std::vector<Forward>& forwards);

  std::vector<std::vector<int>> descriptors_;
  std::vector<Passt> passts_;
  std::vector<BridgePort> ports_;
  std::vector<PrivatePort> private_ports_;
  Ipv6Ports ipv6_;
};

} // namespace ukl
