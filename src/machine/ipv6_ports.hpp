// SPDX-License-Identifier: GPL-2.0-only
// Ports on IPv6 addresses of this machine. QEMU's user network (7.2) listens in IPv4 only, so we listen, and
// carry each client's bytes to a port of QEMU's that only this machine reaches.
#pragma once

#include "machine/early_clients.hpp"
#include "machine/options.hpp"

namespace ukl {

class Ipv6Ports {
public:
  /// Listens on those of `forwards` that are in IPv6, and puts one from a free port of 127.0.0.1 in the place
  /// of each; all are TCP (check_forwards). Errors: those of take_port (checks.hpp) and of EarlyClients.
  static Result<Ipv6Ports> serve(std::vector<Forward>& forwards);

private:
  std::vector<EarlyClients> ports_;
};

} // namespace ukl
