// SPDX-License-Identifier: GPL-2.0-only
// `ukl network …`: networks that have names.
#include "commands/command.hpp"
#include "machine/named_networks.hpp"
#include "support/standard_streams.hpp"

#include <fmt/format.h>
#include <memory>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

struct Options {
  std::string name, subnet;
  std::vector<std::string> names;
  bool json = false, internal = false;
};

Result<int> create(const Options& options) {
  TRY_LET(const auto network, create_network(options.name, options.subnet, options.internal));
  print_output(network.name + "\n");
  return 0;
}

Result<int> list(const Options& options) {
  const auto networks = named_networks();
  if (options.json) {
    auto table = nlohmann::ordered_json::array();
    for (const auto& network : networks) {
      auto machines = nlohmann::ordered_json::array();
      for (const auto& member : network.members)
        machines.push_back({{"name", member.machine}, {"address", member.address}});
      table.push_back({{"name", network.name},
                       {"subnet", network.subnet.text()},
                       {"gateway", network.subnet.gateway()},
                       {"bridge", network.bridge()},
                       {"internal", network.internal},
                       {"machines", machines}});
    }
    print_output(table.dump(2) + "\n");
    return 0;
  }
  print_output(fmt::format("{:12} {:18} {:16} {:9} {}\n", "NAME", "SUBNET", "BRIDGE", "WAY OUT", "MACHINES"));
  for (const auto& network : networks) {
    std::string machines;
    for (const auto& member : network.members)
      machines += fmt::format("{}{} ({})", machines.empty() ? "" : ", ", member.machine, member.address);
    print_output(fmt::format("{:12} {:18} {:16} {:9} {}\n", network.name, network.subnet.text(),
                             network.bridge(), network.internal ? "none" : "NAT", machines));
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
      "A network is a bridge of this machine (ukl-NAME) with an address, NAT to the outside, and a name "
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
  create_command->add_option("NAME", options->name, "Its name, of at most 11 letters and digits")->required();
  create_command
      ->add_option("--subnet", options->subnet,
                   "Its addresses (default: 10.77.N.0/24, one that is free here)")
      ->type_name("ADDRESS/LENGTH");
  create_command->add_flag("--internal", options->internal,
                           "No way out: the machines reach each other and this one; needs no nft");
  add("ls", "List the networks and the machines on them", list)
      ->add_flag("--json", options->json, "Print an array of objects");
  add("rm", "Remove networks that no machine is on", remove)
      ->add_option("NAME", options->names, "Networks")
      ->required();
}

const RegisterCommand registration{50, add_network};

} // namespace
} // namespace ukl
