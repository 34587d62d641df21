// SPDX-License-Identifier: GPL-2.0-only
// The networks of a project: who reaches whom, and by which address and name.
#pragma once

#include "lifecycle/project.hpp"

namespace ukl {

/// Reads `networks:` of the file into `project`, which has its name. Error: usage, with file and line.
Result<void> read_networks(Project& project, const YamlValue& value);
/// Reads `networks` of a service. Error: usage, with file and line.
Result<void> read_cards(Project& project, Service& service, const YamlValue& value);

/// Gives each service that names no network the project's own, each card an address, and each service the
/// names of those that share a network with it. Addresses follow from names, so that they stay when other
/// services come and go. A network of one service only has no card. Error: usage (a network that is not
/// there, two of one address).
Result<void> connect_services(Project& project);

/// The options of `ukl run` for a service's cards, ports and hosts.
std::vector<std::string> network_options(const Project& project, const Service& service);

} // namespace ukl
