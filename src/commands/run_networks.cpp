// SPDX-License-Identifier: GPL-2.0-only
#include "commands/run_networks.hpp"
#include "machine/hypervisor.hpp"
#include "machine/named_networks.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

namespace ukl {
namespace {

using Kind = HostNetwork::Kind;

// As --address takes them.
Result<std::vector<std::string>> checked_addresses(const std::vector<std::string>& addresses) {
  GuestSettings settings;
  settings.addresses = addresses;
  TRY_LET(const auto checked, check_run_settings(settings));
  return values_of(checked, key::address);
}

Result<void> read_card(const std::string& owner, std::size_t number, HostNetwork& card) {
  // The machine finds it by that.
  if (card.mac.empty())
    card.mac = mac_for(fmt::format("{} card {}", owner, number));
  if (card.addresses.empty() && (card.kind == Kind::user || card.kind == Kind::passt))
    card.addresses = {fmt::format("10.0.{}.15/24", 2 + number)};
  if (card.addresses.empty() && card.kind != Kind::named)
    return Error{Failure::usage, fmt::format("network card {} has no address", number + 1),
                 "write it behind the network, as in --network tap:NAME,ip=10.1.0.2/24 (or ip=dhcp)"};
  TRY_LET(card.addresses, checked_addresses(card.addresses));
  return {};
}

void replace(Manifest& settings, std::string_view name, const std::vector<std::string>& values) {
  remove_values(settings, name, 0);
  for (const auto& value : values)
    settings.emplace_back(name, value);
}

} // namespace

Result<void> read_networks(const RunTexts& texts, GuestSettings& guest, MachineOptions& options) {
  auto asked = texts.networks;
  if (asked.empty())
    asked.emplace_back(texts.vmm == qemu().name || texts.vmm == libvirt().name ? "user" : "none");
  const auto owner = texts.life.name.empty() ? fmt::format("{} {}", texts.image, getpid()) : texts.life.name;
  std::vector<HostNetwork> cards;
  for (const auto& text : asked) {
    TRY_LET(auto card, HostNetwork::parse(text));
    if (card.kind == Kind::none && asked.size() > 1)
      return Error{Failure::usage, "--network none stands alone", "leave it or the others out"};
    cards.push_back(std::move(card));
  }
  auto& first = options.network;
  first = cards.front();
  if (!texts.mac.empty() && !first.mac.empty())
    return Error{Failure::usage, "the first network card has two addresses: --mac and mac=", "leave one out"};
  if (!texts.mac.empty()) {
    TRY_LET(first.mac, parse_mac(texts.mac));
  }
  // On a network with others, two machines of one address would take each other's packets.
  if (first.mac.empty() && first.is_shared())
    first.mac = mac_for(owner);
  if (!first.addresses.empty() && !guest.addresses.empty())
    return Error{Failure::usage,
                 "the first network card has two addresses: --address and ip=", "leave one out"};
  if (!first.addresses.empty())
    guest.addresses = first.addresses;
  for (std::size_t number = 1; number < cards.size(); ++number) {
    TRY(read_card(owner, number, cards[number]));
    options.more_networks.push_back(std::move(cards[number]));
  }
  return {};
}

void leave_user_network(const GuestSettings& guest, MachineOptions& options) {
  if (options.network.kind == Kind::none)
    options.settings.emplace_back(key::address, "");
  if (!options.network.is_shared())
    return;
  for (const auto& [given, name] :
       {std::pair(!guest.gateways.empty(), key::gateway), {!guest.dns.empty(), key::dns}})
    if (!given)
      replace(options.settings, name, {""});
}

Result<void> join_networks(const std::string& name, const Manifest& image, MachineOptions& options) {
  Manifest whole = image;
  add_run_settings(whole, options.settings);
  const auto machine = name.empty() ? value_of(whole, key::hostname, "ukl") : name;
  auto servers = values_of(whole, key::dns);
  const auto join = [&](HostNetwork& card, bool first) -> Result<void> {
    if (card.kind != Kind::named)
      return {};
    if (card.addresses.size() > 1)
      return Error{Failure::usage,
                   fmt::format("the IPv6 address on the network {} follows from that of IPv4", card.name),
                   "leave it out"};
    TRY_LET(auto taken,
            NetworkLease::take(card.name, machine, card.addresses.empty() ? "" : card.addresses[0]));
    const auto lease = std::make_shared<const NetworkLease>(std::move(taken));
    card.addresses = {lease->address()};
    std::vector<std::string> routers = {lease->gateway()};
    const auto& lacks = options.lacks;
    if (!lease->address6().empty() && std::ranges::find(lacks, "ipv6") == lacks.end()) {
      card.addresses.push_back(lease->address6());
      if (!lease->gateway6().empty())
        routers.push_back(lease->gateway6());
    }
    servers.insert(servers.begin(), lease->dns()); // it knows more names than others
    if (first) {
      replace(options.settings, key::address, card.addresses);
      if (values_of(whole, key::gateway).empty())
        replace(options.settings, key::gateway, routers);
    }
    replace(options.settings, key::dns, servers);
    options.leases.push_back(lease);
    return {};
  };
  for (auto& card : options.more_networks)
    TRY(join(card, false));
  return join(options.network, true);
}

Result<void> check_cards(const MachineOptions& options) {
  TRY(check_host_network(options.network));
  for (const auto& card : options.more_networks)
    TRY(check_host_network(card));
  return {};
}

} // namespace ukl
