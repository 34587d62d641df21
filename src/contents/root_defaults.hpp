// SPDX-License-Identifier: GPL-2.0-only
// What every image has in its root, whatever the program is.
#pragma once

#include "contents/root_tree.hpp"

#include <string>

namespace ukl {

/// Adds links that every Debian has: /var/run and /var/lock into /run. They have to be there before the
/// user's files, so that these go where the links lead.
Result<void> add_default_links(RootTree& tree);

/// Adds what every image needs where the tree has nothing yet: the mount points, /dev/console (Linux opens it
/// for init), /tmp, the folders of /var that programs write to, and small defaults in /etc: passwd, group,
/// mtab, nsswitch.conf, os-release (this machine's) and localtime (UTC, wherever the image is made). What
/// names machines (hosts, hostname, resolv.conf) is the run's, and init writes it. `passwd_line` (may be
/// empty) is a line to add to /etc/passwd. `of_this_system`: this machine's os-release says what the files
/// are.
Result<void> add_defaults(RootTree& tree, const std::string& passwd_line, bool of_this_system = true);

} // namespace ukl
