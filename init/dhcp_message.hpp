// SPDX-License-Identifier: GPL-2.0-only
// Messages of DHCP for IPv4 (RFC 2131 and 2132): what a client says, and what it hears. No sockets here.
#pragma once

#include <array>
#include <cstdint>
#include <netinet/in.h>
#include <string>
#include <string_view>
#include <vector>

namespace ukl::init {

using HardwareAddress = std::array<std::uint8_t, 6>;

struct DhcpLease {
  in_addr address = {}, server = {};
  int prefix = 0;                ///< bits, 1 to 32
  in_addr router = {};           ///< 0: none
  std::vector<in_addr> dns;      ///< name servers
  std::string domain;            ///< to search in; may be empty
  unsigned mtu = 0;              ///< bytes; 0: the interface's own
  std::uint32_t seconds = 0;     ///< how long it is ours; UINT32_MAX: for ever
  std::uint32_t renew_after = 0; ///< seconds until the server is to be asked again
};

enum class DhcpAnswer { none, offer, acknowledged, refused };

/// Who asks: every message of one exchange has the same number.
struct DhcpClient {
  std::uint32_t exchange = 0;
  HardwareAddress hardware = {};
};

/// "Who has an address for me?"
std::string dhcp_discover(const DhcpClient& client);

/// "I take the one that you offered."
std::string dhcp_request(const DhcpClient& client, const DhcpLease& offer);

/// "May I keep the one that I have?"
std::string dhcp_renew(const DhcpClient& client, const DhcpLease& lease);

/// What a message says to this client; `lease` is filled in by offers and acknowledgements. Whatever is
/// damaged, for somebody else, or no answer, is none.
DhcpAnswer parse_dhcp(std::string_view message, const DhcpClient& client, DhcpLease& lease);

} // namespace ukl::init
