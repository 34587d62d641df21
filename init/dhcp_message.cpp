// SPDX-License-Identifier: GPL-2.0-only
#include "dhcp_message.hpp"

#include <arpa/inet.h>
#include <cctype>
#include <cstring>

namespace ukl::init {
namespace {

// RFC 2131, section 2: where the fixed fields lie, bytes.
constexpr std::size_t kExchange = 4, kFlags = 10, kOwnAddress = 12, kGivenAddress = 16, kHardware = 28,
                      kCookie = 236, kOptions = 240;
constexpr std::uint32_t kMagic = 0x63825363;
constexpr std::uint8_t kAsks = 1, kAnswers = 2, kEthernet = 1;
// With no address yet, the answer has to go to everybody.
constexpr std::uint16_t kBroadcast = 0x8000;

// RFC 2132.
enum Option : std::uint8_t {
  padding = 0,
  mask = 1,
  routers = 3,
  name_servers = 6,
  domain_name = 15,
  interface_mtu = 26,
  wanted_address = 50,
  lease_time = 51,
  message_type = 53,
  server_name = 54,
  wanted_options = 55,
  renewal_time = 58,
  end = 255,
};
enum Type : std::uint8_t { discover = 1, offer = 2, request = 3, acknowledge = 5, refuse = 6 };

void put_number(std::string& message, std::size_t at, std::uint32_t value) {
  value = htonl(value);
  memcpy(&message[at], &value, sizeof value);
}

void add_option(std::string& message, Option option, std::string_view value) {
  message += static_cast<char>(option);
  message += static_cast<char>(value.size());
  message += value;
}

std::string_view bytes_of(const in_addr& address) {
  return {reinterpret_cast<const char*>(&address), sizeof address};
}

std::string begin(const DhcpClient& client, Type type) {
  std::string message(kOptions, '\0');
  message[0] = kAsks;
  message[1] = kEthernet;
  message[2] = static_cast<char>(client.hardware.size());
  put_number(message, kExchange, client.exchange);
  memcpy(&message[kHardware], client.hardware.data(), client.hardware.size());
  put_number(message, kCookie, kMagic);
  const char number = static_cast<char>(type);
  add_option(message, message_type, {&number, 1});
  constexpr char wanted[] = {mask,          routers,    name_servers, domain_name,
                             interface_mtu, lease_time, renewal_time};
  add_option(message, wanted_options, {wanted, sizeof wanted});
  return message;
}

void ask_for_broadcast(std::string& message) {
  const std::uint16_t flags = htons(kBroadcast);
  memcpy(&message[kFlags], &flags, sizeof flags);
}

// As short as BOOTP's own messages, which some relays want (RFC 1542, section 2.1).
std::string finish(std::string message) {
  message += static_cast<char>(end);
  message.resize(std::max<std::size_t>(message.size(), 300), '\0');
  return message;
}

template <typename Number> Number number_in(std::string_view bytes) {
  Number number = 0;
  memcpy(&number, bytes.data(), sizeof number);
  return number;
}

// Letters, digits, '-' and '.': it becomes a line of /etc/resolv.conf.
std::string clean_domain(std::string_view text) {
  while (!text.empty() && text.back() == '\0')
    text.remove_suffix(1);
  for (const unsigned char letter : text)
    if (!isalnum(letter) && letter != '-' && letter != '.')
      return {};
  return std::string(text);
}

int prefix_of(in_addr netmask) {
  const std::uint32_t bits = ntohl(netmask.s_addr);
  return bits == 0 ? 0 : __builtin_popcount(bits);
}

// What the options of an answer say. Those of a wrong length are as good as not there.
struct Said {
  std::uint8_t type = 0;
  in_addr netmask = {};
};

void take_option(std::uint8_t option, std::string_view value, Said& said, DhcpLease& lease) {
  const bool is_number = value.size() == 4;
  switch (option) {
  case message_type:
    if (value.size() == 1)
      said.type = static_cast<std::uint8_t>(value[0]);
    return;
  case mask:
    if (is_number)
      said.netmask.s_addr = number_in<std::uint32_t>(value);
    return;
  case server_name:
    if (is_number)
      lease.server.s_addr = number_in<std::uint32_t>(value);
    return;
  case routers:
    if (value.size() >= 4)
      lease.router.s_addr = number_in<std::uint32_t>(value);
    return;
  case name_servers:
    for (; value.size() >= 4; value.remove_prefix(4))
      lease.dns.push_back({number_in<std::uint32_t>(value)});
    return;
  case domain_name:
    lease.domain = clean_domain(value);
    return;
  case interface_mtu:
    if (value.size() == 2)
      lease.mtu = ntohs(number_in<std::uint16_t>(value));
    return;
  case lease_time:
    if (is_number)
      lease.seconds = ntohl(number_in<std::uint32_t>(value));
    return;
  case renewal_time:
    if (is_number)
      lease.renew_after = ntohl(number_in<std::uint32_t>(value));
    return;
  default:
    return;
  }
}

// False where an option goes beyond the end.
bool take_options(std::string_view options, Said& said, DhcpLease& lease) {
  while (!options.empty()) {
    const auto option = static_cast<std::uint8_t>(options[0]);
    if (option == end)
      return true;
    if (option == padding) {
      options.remove_prefix(1);
      continue;
    }
    if (options.size() < 2)
      return false;
    const std::size_t size = static_cast<std::uint8_t>(options[1]);
    if (size > options.size() - 2)
      return false;
    take_option(option, options.substr(2, size), said, lease);
    options.remove_prefix(2 + size);
  }
  return true;
}

bool is_for(std::string_view message, const DhcpClient& client) {
  return message.size() >= kOptions && message[0] == kAnswers &&
         ntohl(number_in<std::uint32_t>(message.substr(kExchange))) == client.exchange &&
         memcmp(&message[kHardware], client.hardware.data(), client.hardware.size()) == 0 &&
         ntohl(number_in<std::uint32_t>(message.substr(kCookie))) == kMagic;
}

} // namespace

std::string dhcp_discover(const DhcpClient& client) {
  auto message = begin(client, discover);
  ask_for_broadcast(message);
  return finish(std::move(message));
}

std::string dhcp_request(const DhcpClient& client, const DhcpLease& offer) {
  auto message = begin(client, request);
  ask_for_broadcast(message);
  add_option(message, wanted_address, bytes_of(offer.address));
  add_option(message, server_name, bytes_of(offer.server));
  return finish(std::move(message));
}

std::string dhcp_renew(const DhcpClient& client, const DhcpLease& lease) {
  auto message = begin(client, request);
  memcpy(&message[kOwnAddress], &lease.address, sizeof lease.address);
  return finish(std::move(message));
}

DhcpAnswer parse_dhcp(std::string_view message, const DhcpClient& client, DhcpLease& lease) {
  if (!is_for(message, client))
    return DhcpAnswer::none;
  DhcpLease heard;
  Said said;
  heard.address.s_addr = number_in<std::uint32_t>(message.substr(kGivenAddress));
  if (!take_options(message.substr(kOptions), said, heard))
    return DhcpAnswer::none;
  if (said.type == refuse)
    return DhcpAnswer::refused;
  heard.prefix = prefix_of(said.netmask);
  if ((said.type != offer && said.type != acknowledge) || heard.address.s_addr == 0 || heard.prefix == 0)
    return DhcpAnswer::none;
  if (heard.seconds == 0)
    heard.seconds = UINT32_MAX;
  // RFC 2131, section 4.4.5: half of the time, unless the server says when.
  if (heard.renew_after == 0 || heard.renew_after >= heard.seconds)
    heard.renew_after = heard.seconds / 2;
  lease = std::move(heard);
  return said.type == offer ? DhcpAnswer::offer : DhcpAnswer::acknowledged;
}

} // namespace ukl::init
