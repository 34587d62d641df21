// SPDX-License-Identifier: GPL-2.0-only
// Files that programs with a network look into: names of services and protocols, and whom to trust.
#pragma once

#include "contents/root_tree.hpp"

namespace ukl {

/// Adds, where the tree has none, this machine's /etc/services and /etc/protocols, if a program or library in
/// it asks for services by name, and its certificates of authorities in one file
/// (/etc/ssl/certs/ca-certificates.crt), if one names the place where they are, or is OpenSSL's. Error: those
/// of RootTree::add.
Result<void> add_network_files(RootTree& tree);

} // namespace ukl
