// SPDX-License-Identifier: GPL-2.0-only
// An IPv4 address from a DHCP server (RFC 2131): asked for before the program starts if the settings say so,
// and kept while it runs.
#pragma once

#include "dhcp_message.hpp"

#include <optional>

namespace ukl::init {

/// Asks for an address over an interface that is up, and waits `seconds` at most. Nothing if no server has
/// given one. From then on it is ours to keep: the three functions below.
std::optional<DhcpLease> ask_dhcp(const char* interface, int seconds);

/// Readable when a server has answered; -1: there is no such address.
int dhcp_descriptor();

/// Takes an answer, and asks again where it is time to.
void keep_dhcp_address();

/// In how many milliseconds keep_dhcp_address() is to be called; -1: never.
int until_dhcp();

} // namespace ukl::init
