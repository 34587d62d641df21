// SPDX-License-Identifier: GPL-2.0-only
#include "machine/qemu_network.hpp"

#include <arpa/inet.h>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <fmt/format.h>

namespace ukl {
namespace {

using Bytes = std::array<std::uint8_t, 16>; // an IPv4 address is the first four

// QEMU's documentation, invocation, -netdev user: the net in which DHCP gives addresses, if nobody names
// another.
constexpr const char* kUsualAddress = "10.0.2.15/24";
// Where its router and its name server are, if nobody names other places.
constexpr std::uint8_t kRouter = 2, kNameServer = 3;

struct Net {
  std::string address; ///< of the machine in there
  bool ipv6 = false;
  unsigned length = 0; ///< bits

  unsigned bits() const { return ipv6 ? 128 : 32; }

  static Net of(const std::string& text) {
    const auto slash = text.find('/');
    return {text.substr(0, slash), text.find(':') != std::string::npos,
            static_cast<unsigned>(std::strtoul(text.c_str() + slash + 1, nullptr, 10))};
  }

  // An address with nothing but its net left of it.
  Bytes masked(const std::string& other) const {
    Bytes bytes = {};
    if (inet_pton(ipv6 ? AF_INET6 : AF_INET, other.c_str(), bytes.data()) != 1)
      return {};
    for (unsigned bit = length; bit < bits(); ++bit)
      bytes[bit / 8] &= static_cast<std::uint8_t>(~(0x80 >> bit % 8));
    return bytes;
  }
  bool has(const std::string& other) const { return masked(other) == masked(address); }

  std::string number(std::uint8_t number) const {
    Bytes bytes = masked(address);
    bytes[bits() / 8 - 1] |= number;
    std::array<char, INET6_ADDRSTRLEN> text = {};
    inet_ntop(ipv6 ? AF_INET6 : AF_INET, bytes.data(), text.data(), text.size());
    return text.data();
  }
};

bool is_asked_for(const std::string& address) {
  return address == key::kDhcp || address == key::kSlaac;
}

// QEMU's router answers at its link-local address, too, whatever it is.
bool is_link_local(const std::string& address) {
  return address.starts_with("fe80:");
}

Result<void> check_family(const Manifest& settings, bool ipv6) {
  auto address = address_of(settings, key::address, ipv6);
  if (address.empty() || address == key::kSlaac)
    return {};
  const bool given = address != key::kDhcp;
  if (!given)
    address = kUsualAddress;
  const auto net = Net::of(address);
  constexpr unsigned kSmallest = 3;
  if (net.length + kSmallest > net.bits())
    return Error{
        Failure::usage,
        fmt::format("QEMU's user network has no room for its router and its name server in {}", address),
        fmt::format("a prefix of at most {}, or --network tap:NAME", net.bits() - kSmallest)};
  const auto gateway = address_of(settings, key::gateway, ipv6);
  if (!gateway.empty() && !is_link_local(gateway) && !net.has(gateway))
    return Error{
        Failure::usage, fmt::format("the router {} is not in the network of {}", gateway, address),
        fmt::format("leave --gateway out: QEMU's user network has its own, {}; or --network tap:NAME",
                    net.number(kRouter))};
  for (const auto& [name, number, what] :
       {std::tuple(key::gateway, kRouter, "router"), {key::dns, kNameServer, "name server"}}) {
    const auto asked = address_of(settings, name, ipv6);
    const auto place = !asked.empty() && net.has(asked) ? asked : net.number(number);
    if (given && Net{net.address, ipv6, net.bits()}.has(place))
      return Error{Failure::usage, fmt::format("{} is the {} of QEMU's user network", net.address, what),
                   "choose another address in it"};
  }
  return {};
}

} // namespace

Result<void> check_user_network(const Manifest& settings) {
  TRY(check_family(settings, false));
  return check_family(settings, true);
}

std::string qemu_user_network(const std::string& id, const Manifest& settings,
                              const std::vector<Forward>& forwards) {
  std::string network = "user,id=" + id;
  for (const bool ipv6 : {false, true}) {
    const std::string family = ipv6 ? "ipv6-" : "";
    const auto address = address_of(settings, key::address, ipv6);
    if (address.empty()) {
      network += ipv6 ? ",ipv6=off" : ",ipv4=off";
      continue;
    }
    if (!is_asked_for(address))
      network += fmt::format(",{}net={}", family, address);
    if (address == key::kSlaac)
      continue;
    // A name server that is somewhere else is none of QEMU's.
    const auto net = Net::of(address == key::kDhcp ? kUsualAddress : address);
    for (const auto& [property, name] : {std::pair("host", key::gateway), {"dns", key::dns}})
      if (const auto place = address_of(settings, name, ipv6); !place.empty() && net.has(place))
        network += fmt::format(",{}{}={}", family, property, place);
  }
  const auto address = address_of(settings, key::address, false);
  for (const auto& forward : forwards)
    if (!forward.ipv6()) // those are ours (Ipv6Ports)
      network +=
          fmt::format(",hostfwd={}:{}:{}-{}:{}", forward.protocol, forward.host_address, forward.host_port,
                      address == key::kDhcp ? "" : address.substr(0, address.find('/')), forward.guest_port);
  return network;
}

} // namespace ukl
