// SPDX-License-Identifier: GPL-2.0-only
// `ukl network …`: networks that have names.
#include "commands/command.hpp"
#include "lifecycle/record.hpp"
#include "machine/host_network.hpp"
#include "machine/named_networks.hpp"
#include "support/places.hpp"
#include "support/standard_streams.hpp"

#include <fmt/format.h>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

struct Options {
  NetworkRequest request;
  std::vector<std::string> names;
  bool json = false;
};

Result<int> create(const Options& options) {
  TRY_LET(const auto network, create_network(options.request));
  print_output(network.name + "\n");
  return 0;
}

struct Listed {
  NamedNetwork network;
  bool is_private = false; ///< it is there as long as a machine is on it, and has no bridge
};

// Those that `create` made, and behind them those of machines among themselves.
Result<std::vector<Listed>> all_networks() {
  std::vector<Listed> all;
  for (auto& network : named_networks())
    all.push_back({std::move(network)});
  std::map<std::string, Listed> between;
  TRY_LET(const auto places, read_places());
  for (const auto& machine : known_machines(places.machines))
    for (const auto& text : machine.plan.networks)
      if (const auto card = HostNetwork::parse(text);
          machine.alive && card && card->kind == HostNetwork::Kind::machines) {
        auto& listed =
            between.try_emplace(card->name, Listed{{card->name, {}, true}, true}).first->second.network;
        const auto& address = card->addresses.empty() ? "" : card->addresses[0];
        listed.members.push_back({machine.plan.name, address.substr(0, address.find('/'))});
      }
  for (auto& [name, listed] : between)
    all.push_back(std::move(listed));
  return all;
}

nlohmann::ordered_json json_of(const Listed& listed) {
  const auto& network = listed.network;
  const auto& prefix = network.beside;
  auto machines = nlohmann::ordered_json::array();
  for (const auto& [name, address] : network.members) {
    machines.push_back({{"name", name}, {"address", address}});
    if (!prefix.prefix.empty())
      machines.back()["address6"] = prefix.address(address);
  }
  nlohmann::ordered_json json = {{"name", network.name}, {"private", listed.is_private}};
  if (!listed.is_private) {
    json["subnet"] = network.subnet.text();
    if (!prefix.prefix.empty())
      json["subnet6"] = prefix.text();
    json["gateway"] = network.subnet.gateway();
    json["bridge"] = network.bridge();
  }
  json["internal"] = network.internal;
  json["machines"] = machines;
  return json;
}

Result<int> list(const Options& options) {
  TRY_LET(const auto networks, all_networks());
  if (options.json) {
    auto table = nlohmann::ordered_json::array();
    for (const auto& network : networks)
      table.push_back(json_of(network));
    print_output(table.dump(2) + "\n");
    return 0;
  }
  const auto print_row = [](auto&&... cells) {
    print_output(fmt::format("{:20} {:18} {:16} {:9} {}\n", cells...));
  };
  print_row("NAME", "SUBNET", "BRIDGE", "WAY OUT", "MACHINES");
  for (const auto& [network, is_private] : networks) {
    std::string machines;
    for (const auto& [name, address] : network.members)
      machines += fmt::format("{}{}{}", machines.empty() ? "" : ", ", name,
                              address.empty() ? "" : fmt::format(" ({})", address));
    print_row((is_private ? "private:" : "") + network.name, is_private ? "-" : network.subnet.text(),
              is_private ? "-" : network.bridge(), network.internal ? "none" : "NAT", machines);
  }
  return 0;
}

Result<int> remove(const Options& options) {
  for (const auto& name : options.names) {
    TRY(remove_network(name));
    print_output(name + "\n");
  }
  return 0;
}

void add_network(CLI::App& app, Action& action) {
  auto options = std::make_shared<Options>();
  auto* network = app.add_subcommand("network", "Networks between machines, with names");
  network->require_subcommand(1);
  network->footer(
      "A network is a bridge of this machine (ukl-NAME) with addresses, NAT to the outside, and a name "
      "server\n"
      "on it. A machine that joins it (ukl run --network NAME) gets an address there and is known to the "
      "others\n"
      "by its --name. It needs root to make the bridge (ip), the rules for its packets (nft) and the server "
      "of\n"
      "names (dnsmasq), and to join. Nobody outside reaches the machines but this one. It is gone when this\n"
      "machine starts anew, and nothing is left of it after `ukl network rm`.\n"
      "For example: sudo ukl network create web, and then sudo ukl run --network web --name db db.ukl");
  const auto add = [&](const char* name, const char* text, Result<int> (*run)(const Options&)) {
    auto* command = network->add_subcommand(name, text);
    command->callback([&action, options, run] { action = [options, run] { return run(*options); }; });
    return command;
  };
  auto* create_command = add("create", "Make a network, for ukl run --network NAME", create);
  create_command->add_option("NAME", options->request.name, "Its name, of at most 11 letters and digits")
      ->required();
  create_command
      ->add_option("--subnet", options->request.subnet,
                   "Its addresses (default: 10.77.N.0/24, one that is free here)")
      ->type_name("ADDRESS/LENGTH");
  create_command->add_flag("--internal", options->request.internal,
                           "No way out: the machines reach each other and this one; needs no nft");
  create_command->add_flag("--ipv6", options->request.ipv6,
                           "IPv6 addresses and names beside those of IPv4, which programs may try first");
  add("ls", "List the networks and the machines on them, private: ones (ukl run --network) too", list)
      ->add_flag("--json", options->json, "Print an array of objects");
  add("rm", "Remove networks that no machine is on", remove)
      ->add_option("NAME", options->names, "Networks")
      ->required();
}

const RegisterCommand registration{50, add_network};

} // namespace
} // namespace ukl
