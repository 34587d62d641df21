// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/project_networks.hpp"

#include "lifecycle/compose_values.hpp"
#include "machine/named_networks.hpp"
#include "support/files.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <set>

namespace ukl {
namespace {

using Kind = YamlValue::Kind;

// What Compose calls the one of services that name none.
constexpr const char* kDefault = "default";

ProjectNetwork network_of(const Project& project, const std::string& name) {
  return {.name = name, .network = fmt::format("{}-{}", project.name, name)};
}

Error wrong(const Project& project, unsigned line, const std::string& message, const std::string& hint = "") {
  return error_in_line(project.file, line, message, hint);
}

Result<void> read_network(Project& project, const std::string& name, const YamlValue& value) {
  auto network = network_of(project, name);
  network.line = value.line;
  bool has_name = false, ipv6 = false;
  std::string subnet6;
  for (const auto& [key, setting] : value.entries) {
    const auto where = fmt::format("networks.{}.{}", name, key);
    if (key == "name") {
      network.network = setting.text;
      has_name = true;
    } else if (key == "external") {
      TRY_LET(network.external, (ComposeKey{project.file, where}.truth(setting)));
    } else if (key == "internal") {
      TRY_LET(network.internal, (ComposeKey{project.file, where}.truth(setting)));
    } else if (key == "enable_ipv6") {
      TRY_LET(ipv6, (ComposeKey{project.file, where}.truth(setting)));
    } else if (key == "ipam") {
      for (const auto& config :
           setting.find("config") ? setting.find("config")->items : std::vector<YamlValue>())
        if (const auto* subnet = config.find("subnet"))
          (subnet->text.find(':') == std::string::npos ? network.subnet : subnet6) = subnet->text;
    } else if (key == "driver" || key == "driver_opts" || key == "attachable" || key == "enable_ipv4" ||
               key == "labels") {
      if (key != "driver" || (setting.text != "bridge" && setting.text != kDefault))
        project.ignore(setting.line, where);
    } else if (!key.starts_with("x-")) {
      return wrong(project, setting.line, fmt::format("{}: ukl does not know this key", where),
                   "a network has name, external, internal, and ipam with a subnet");
    }
  }
  if (network.external && !has_name)
    network.network = name;
  if (!is_plain_name(network.network))
    return wrong(project, value.line, fmt::format("'{}' is no name of a network", network.network),
                 kPlainNameForm);
  if (!network.subnet.empty())
    if (const auto parsed = Subnet::parse(network.subnet); !parsed)
      return wrong(project, value.line, fmt::format("networks.{}: {}", name, parsed.error().message),
                   parsed.error().hint);
  if (ipv6) {
    constexpr std::string_view kLength = "::/64";
    if (!subnet6.empty() && !subnet6.ends_with(kLength))
      return wrong(project, value.line, fmt::format("networks.{}: {} has no 64 bits", name, subnet6),
                   "as in fd00:1:2::/64");
    network.prefix6 = subnet6.empty() ? UniqueLocal::of(network.network).prefix
                                      : subnet6.substr(0, subnet6.size() - kLength.size() + 2);
  }
  project.networks.push_back(std::move(network));
  return {};
}

std::uint32_t number_for(const std::string& name) {
  return static_cast<std::uint32_t>(std::strtoul(sha256_hex(name).substr(0, 8).c_str(), nullptr, 16));
}

// 10.89.N.0/24, each network of a project another N.
void choose_subnets(Project& project) {
  std::set<std::string> taken;
  for (const auto& network : project.networks)
    taken.insert(network.subnet);
  for (auto& network : project.networks)
    for (std::uint32_t number = number_for(network.network); network.subnet.empty(); ++number)
      if (const auto subnet = fmt::format("10.89.{}.0/24", number % 256); taken.insert(subnet).second)
        network.subnet = subnet;
}

std::vector<Service::Card*> cards_on(Project& project, const std::string& network) {
  std::vector<Service::Card*> cards;
  for (auto& service : project.services)
    for (auto& card : service.cards)
      if (card.network == network)
        cards.push_back(&card);
  return cards;
}

Result<void> choose_addresses(Project& project, const ProjectNetwork& network) {
  TRY_LET(const auto subnet, Subnet::parse(network.subnet));
  std::set<std::string> taken;
  for (const auto* card : cards_on(project, network.name))
    if (!card->address.empty() && !taken.insert(card->address).second)
      return wrong(
          project, card->line,
          fmt::format("two services have the address {} in the network {}", card->address, network.name));
  // In the order of their names, whatever the file's is.
  std::vector<Service*> ordered;
  for (auto& service : project.services)
    ordered.push_back(&service);
  std::ranges::sort(ordered, {}, &Service::name);
  for (auto* service : ordered)
    for (auto& card : service->cards)
      for (std::uint32_t number = number_for(service->name), attempt = 0;
           card.network == network.name && card.address.empty(); ++number, ++attempt) {
        if (attempt > subnet.room())
          return wrong(project, card.line,
                       fmt::format("the network {} has no room for {}", network.name, service->name));
        if (const auto address = subnet.address(number % subnet.room()); taken.insert(address).second)
          card.address = address;
      }
  if (!network.prefix6.empty())
    for (auto* card : cards_on(project, network.name))
      if (card->address6.empty())
        card->address6 = UniqueLocal{network.prefix6}.address(card->address);
  return {};
}

// What `service` calls another one, by the first network that both are in.
void add_names(Service& service, const Service& other) {
  for (const auto& card : service.cards)
    for (const auto& theirs : other.cards) {
      if (theirs.network != card.network || theirs.address.empty())
        continue;
      std::vector<std::string> names = {other.name};
      if (other.machine != other.name)
        names.push_back(other.machine);
      for (const auto& alias : theirs.aliases)
        names.push_back(alias);
      for (const auto& [target, name] : service.links)
        if (target == other.name)
          names.push_back(name);
      for (const auto& name : names) {
        const auto known = [&](const std::string& host) { return host.starts_with(name + ":"); };
        if (std::ranges::any_of(service.hosts, known))
          continue;
        service.hosts.push_back(fmt::format("{}:{}", name, theirs.address));
        if (!theirs.address6.empty())
          service.hosts.push_back(fmt::format("{}:{}", name, theirs.address6));
      }
    }
}

} // namespace

Result<void> read_networks(Project& project, const YamlValue& value) {
  for (const auto& [name, entry] : value.entries)
    TRY(read_network(project, name, entry));
  return {};
}

Result<void> read_cards(Project& project, Service& service, const YamlValue& value) {
  if (value.kind != Kind::map) {
    const ComposeKey key{project.file, fmt::format("services.{}.networks", service.name)};
    TRY_LET(const auto names, key.texts(value));
    for (const auto& name : names)
      service.cards.push_back({.network = name, .line = value.line});
    return {};
  }
  for (const auto& [name, entry] : value.entries) {
    Service::Card card{.network = name, .line = entry.line};
    for (const auto& [key, setting] : entry.entries) {
      const auto where = fmt::format("services.{}.networks.{}.{}", service.name, name, key);
      if (key == "aliases") {
        TRY_LET(card.aliases, (ComposeKey{project.file, where}.texts(setting)));
      } else if (key == "ipv4_address") {
        card.address = setting.text;
      } else if (key == "ipv6_address") {
        card.address6 = setting.text;
      } else if (key == "mac_address") {
        card.mac = setting.text;
      } else if (key == "link_local_ips" || key == "priority" || key == "gw_priority" ||
                 key == "driver_opts" || key == "interface_name") {
        project.ignore(setting.line, where);
      } else if (!key.starts_with("x-")) {
        return wrong(project, setting.line, fmt::format("{}: ukl does not know this key", where));
      }
    }
    service.cards.push_back(std::move(card));
  }
  return {};
}

Result<void> connect_services(Project& project) {
  const auto has = [&](const std::string& name) {
    return std::ranges::find(project.networks, name, &ProjectNetwork::name) != project.networks.end();
  };
  if (!has(kDefault))
    project.networks.push_back(network_of(project, kDefault));
  for (auto& service : project.services) {
    if (!service.has_network)
      service.cards.clear();
    else if (service.cards.empty())
      service.cards.push_back({.network = kDefault, .line = service.line});
    for (const auto& card : service.cards)
      if (!has(card.network))
        return wrong(project, card.line,
                     fmt::format("{} is on {}, which is no network", service.name, card.network),
                     "list it below networks:");
  }
  // Nobody is there to be reached.
  for (const auto& network : project.networks)
    if (!network.external && cards_on(project, network.name).size() == 1)
      for (auto& service : project.services)
        if (std::erase_if(service.cards, [&](const auto& card) { return card.network == network.name; }) >
                0 &&
            network.internal && service.cards.empty() && service.ports.empty())
          service.has_network = false;
  choose_subnets(project);
  for (const auto& network : project.networks)
    if (!network.external)
      TRY(choose_addresses(project, network));
  for (auto& service : project.services)
    for (const auto& other : project.services)
      add_names(service, other);
  return {};
}

std::vector<std::string> network_options(const Project& project, const Service& service) {
  std::vector<std::string> options;
  const auto add = [&](const char* option, const std::string& value) {
    options.emplace_back(option);
    options.push_back(value);
  };
  const auto find = [&](const Service::Card& card) {
    return *std::ranges::find(project.networks, card.network, &ProjectNetwork::name);
  };
  if (!service.has_network) {
    add("--network", "none");
    return options;
  }
  // The way out, and the one that ports come in by.
  const bool leads_out =
      service.cards.empty() || !service.ports.empty() ||
      !std::ranges::all_of(service.cards, [&](const auto& card) { return find(card).internal; });
  if (leads_out && !service.cards.empty())
    add("--network", "user");
  for (const auto& card : service.cards) {
    const auto network = find(card);
    auto text = network.external ? network.network : "private:" + network.network;
    if (!card.address.empty())
      text += ",ip=" + card.address +
              network.subnet.substr(std::min(network.subnet.find('/'), network.subnet.size()));
    if (!card.address6.empty() && !network.prefix6.empty())
      text += ",ip=" + card.address6 + "/64";
    if (!card.mac.empty())
      text += ",mac=" + card.mac;
    add("--network", text);
  }
  for (const auto& host : service.hosts)
    add("--add-host", host);
  return options;
}

} // namespace ukl
