// SPDX-License-Identifier: GPL-2.0-only
// The settings of an image that a user can choose, checked here so that a mistake shows before anything
// boots.
#pragma once

#include "support/result.hpp"
#include "ukl/manifest.hpp"

#include <string>
#include <vector>

namespace ukl {

/// Where a machine can look for settings of its own (init/cloud.hpp).
inline constexpr const char* kClouds[] = {"nocloud", "ec2", "gce", "azure"};

/// As they stand on the command line. Empty ones are not given.
struct GuestSettings {
  std::vector<std::string> environment; ///< NAME=value
  std::string directory;                ///< absolute
  std::string user;                     ///< UID:GID, UID, or a name
  std::vector<std::string> groups;      ///< numbers of further groups
  std::string hostname;
  std::vector<std::string>
      addresses; ///< IPv4 or IPv6 with prefix length, one of each; "dhcp", "slaac"; or "none"
  std::vector<std::string> gateways; ///< IPv4 or IPv6, one of each; or "none"
  std::vector<std::string> routes;   ///< NET/LENGTH=ROUTER, or NET/LENGTH: it lies at the network itself
  std::vector<std::string> dns;      ///< IPv4 or IPv6; or "none"
  std::vector<std::string> search;   ///< domains
  std::vector<std::string> hosts;    ///< NAME:ADDRESS
  unsigned mtu = 0;                  ///< bytes; 0: the network's own
  std::vector<std::string> limits;   ///< NAME=SOFT[:HARD]
  std::vector<std::string> sysctls;  ///< NAME=VALUE
  std::vector<std::string> ports;    ///< on which the program listens: PORT[/tcp|/udp]
  std::string stop_signal;           ///< what asks the program to end: a name or a number
  std::string cloud;                 ///< where a machine finds more settings: one of kClouds
  unsigned poll_network = 0; ///< microseconds for which poll and epoll_wait ask the network device themselves
};

/// The same in the manifest's form, with a line for /etc/passwd if `user` is a name.
struct CheckedSettings {
  Manifest manifest;
  std::string passwd_line;
};

/// An image's settings; what is not given gets a default: the address is that of QEMU's user network, the
/// host name is the program's, a user's name is one of this machine. Error: usage, with the form that is
/// expected.
Result<CheckedSettings> check_settings(const GuestSettings& settings, const std::string& program_name);

/// A run's settings, which go over the image's: only what is given; a user's name is one of the image.
/// Error: usage.
Result<Manifest> check_run_settings(const GuestSettings& settings);

} // namespace ukl
