// SPDX-License-Identifier: GPL-2.0-only
// What a service's unit file says of its program (systemd.service(5), systemd.exec(5)).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ukl {

struct UnitFile {
  std::vector<std::string> command; ///< of ExecStart, variables put in; empty: none
  std::vector<std::string> environment;
  std::string user, group, directory;
  bool low_ports = false; ///< AmbientCapabilities has CAP_NET_BIND_SERVICE
  bool forks = false;     ///< Type=forking: the program goes into the background
  bool as_root = false;   ///< the program starts as root and becomes `user` itself
  /// Commands of ExecStartPre, and whether there are others: of ExecStartPost, or a second ExecStart.
  std::vector<std::vector<std::string>> before;
  bool has_more_steps = false;
  /// Folders that belong to the user: path and mode.
  std::vector<std::pair<std::string, unsigned>> folders;
};

/// The text of a file of the tree, for EnvironmentFile; nothing if it is not there.
using ReadTreeText = std::function<std::optional<std::string>(const std::string& path)>;

/// Reads a unit file. `name` is its name without .service.
UnitFile read_unit_file(const std::string& text, const std::string& name, const ReadTreeText& read);

} // namespace ukl
