// SPDX-License-Identifier: GPL-2.0-only
// The network interfaces that an engine has made for a container, for its machine. What comes in at one goes
// to a tap device, and back (tc-mirred(8)): the machine has the interface's addresses, MAC, MTU and routes,
// so the engine's ports, names and rules lead to it as to any container.
#pragma once

#include "support/result.hpp"

#include <string>
#include <vector>

namespace ukl {

struct ContainerInterface {
  std::string name, mac;
  unsigned mtu = 0;                   ///< bytes
  std::vector<std::string> addresses; ///< with prefix length, at most one of each family
  std::vector<std::string> gateways;  ///< likewise, of the default routes
  std::vector<std::string> routes;    ///< NET/LENGTH=ROUTER or NET/LENGTH
  std::vector<std::string> left_out;  ///< what a machine cannot have, in sentences
};

/// Those that have addresses others can reach; the one of a default route comes first. From what
/// `ip -json address`, `ip -json route` and `ip -json -6 route` print. Error: machine (that is not JSON).
Result<std::vector<ContainerInterface>>
read_interfaces(const std::string& addresses, const std::string& routes4, const std::string& routes6);

struct ContainerNetwork {
  std::vector<std::string> run; ///< options of `ukl run`
  std::vector<std::string> interfaces;
  std::vector<std::string> left_out; ///< sentences
};

/// Takes those of the network namespace in the file `name_space` over, with ip and tc (iproute2). Nothing in
/// `interfaces`: there are none (yet), or it is our own namespace. Errors: machine_runs (another one has
/// them); missing_tool; machine (no rights, or a kernel without tc-mirred). Then they are as they were.
Result<ContainerNetwork> take_interfaces(const std::string& name_space);

/// Makes them the engine's again, as far as they still are there.
void give_back_interfaces(const std::string& name_space, const std::vector<std::string>& interfaces);

} // namespace ukl
