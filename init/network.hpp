// SPDX-License-Identifier: GPL-2.0-only
// The network, before the program starts. An address that the settings name is there at once; who asks for
// DHCP or SLAAC waits for an answer, but not for long.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Loopback, and the first other interface with the manifest's addresses, MTU and gateways. Ends the machine
/// if one of them is not valid or is refused; if nobody gives an address that was asked for, says so and goes
/// on. Returns what the network has said besides: name servers and a domain.
Manifest set_up_network(const Manifest& settings);

/// Whether an interface has an IPv6 address that other nets can reach, by the text of /proc/net/if_inet6.
bool has_address6(const std::string& table, const std::string& interface);

} // namespace ukl::init
