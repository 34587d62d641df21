// SPDX-License-Identifier: GPL-2.0-only
// QEMU's user network: NAT by QEMU itself, which has a router and a name server of its own in the network of
// the machine's address.
#pragma once

#include "machine/options.hpp"
#include "support/result.hpp"
#include "ukl/manifest.hpp"

#include <string>
#include <vector>

namespace ukl {

/// Whether QEMU can make that network. `settings`: those of a card (card_settings()). Error: usage (a router
/// that is not in it, no room for QEMU's own, an address that is one of these).
Result<void> check_user_network(const Manifest& settings);

/// The value of its -netdev for a card that has passed the check. Forwards from an IPv6 address are not
/// QEMU's.
std::string qemu_user_network(const std::string& id, const Manifest& settings,
                              const std::vector<Forward>& forwards);

} // namespace ukl
