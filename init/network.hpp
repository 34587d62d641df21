// SPDX-License-Identifier: GPL-2.0-only
// A static network: no waiting for a server that hands out addresses.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Loopback, and the first other interface with the manifest's addresses, MTU and gateways. Ends the machine
/// if one of them is not valid or is refused.
void set_up_network(const Manifest& settings);

} // namespace ukl::init
