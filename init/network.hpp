// SPDX-License-Identifier: GPL-2.0-only
// A static network: no waiting for a server that hands out addresses.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Host name, loopback, and the first other interface with the manifest's address and gateway; /etc/hosts and
/// /etc/resolv.conf where the root tree has none. Ends the machine if an address is not valid or is refused.
void set_up_network(const Manifest& settings);

} // namespace ukl::init
