// SPDX-License-Identifier: GPL-2.0-only
// The settings of an image that a user can choose, checked here so that a mistake shows before anything
// boots.
#pragma once

#include "support/result.hpp"
#include "ukl/manifest.hpp"

#include <string>
#include <vector>

namespace ukl {

/// As they stand on the command line. The addresses are those of QEMU's user networking.
struct GuestSettings {
  std::vector<std::string> environment; ///< NAME=value
  std::string directory = "/";
  std::string user;                     ///< UID:GID, UID, or a name that this machine knows; empty: root
  std::string hostname;                 ///< empty: the program's name
  std::string address = "10.0.2.15/24"; ///< IPv4 with prefix length, or "none"
  std::string gateway = "10.0.2.2";     ///< IPv4; not used without an address
  std::vector<std::string> dns;         ///< IPv4; empty: 10.0.2.3
  std::vector<std::string> limits;      ///< NAME=SOFT[:HARD]
  std::vector<std::string> sysctls;     ///< NAME=VALUE
  unsigned poll_network = 0; ///< microseconds for which poll and epoll_wait ask the network device themselves
};

/// The same in the manifest's form, with a line for /etc/passwd if `user` is a name.
struct CheckedSettings {
  Manifest manifest;
  std::string hostname;
  std::vector<std::string> dns;
  std::string passwd_line;
};

/// Error: usage, with the form that is expected.
Result<CheckedSettings> check_settings(const GuestSettings& settings, const std::string& program_name);

} // namespace ukl
