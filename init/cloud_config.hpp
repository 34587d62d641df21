// SPDX-License-Identifier: GPL-2.0-only
// What a cloud says to its machines, in cloud-init's words (its documentation: "NoCloud", "Networking Config
// Version 1" and "2", "User data formats"), as settings of ours. No files and no sockets here.
#pragma once

#include "ukl/manifest.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace ukl::init {

struct CloudSettings {
  Manifest settings;                ///< to go over the image's
  std::vector<std::string> ignored; ///< what was understood as far as that it has no meaning here
};

/// The file meta-data: the host's name.
void add_meta_data(std::string_view text, CloudSettings& said);

/// User data that begin with #cloud-config: `hostname`, `fqdn`, `write_files`; and a map `ukl` of our own,
/// whose names are those of the words ukl.NAME=VALUE (docs/hypervisors.md), with one value or a list of them.
void add_user_data(std::string_view text, CloudSettings& said);

/// The file network-config, of either version: the first interface's addresses, router, name servers and MTU.
void add_network_config(std::string_view text, CloudSettings& said);

/// The bytes. Blanks and line ends are skipped; whatever else is no letter of the alphabet ends it.
std::string decode_base64(std::string_view text);

} // namespace ukl::init
