// SPDX-License-Identifier: GPL-2.0-only
// Where packets go that are not for the interface's own net.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Adds the default routes through the settings' routers and their further routes (key::gateway, key::route)
/// for one family. `address` is the interface's own, with its prefix length; it may be one that the network
/// has yet to give (key::kSlaac). Ends the machine if Linux refuses one.
void add_routes(const Manifest& settings, const char* interface, const std::string& address, bool ipv6);

/// The default route through a router that the network has named.
void add_default_route(const char* interface, const std::string& address, const std::string& router);

} // namespace ukl::init
