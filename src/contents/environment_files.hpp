// SPDX-License-Identifier: GPL-2.0-only
// Files that a C library opens because of the environment: the zone of TZ, the locale of LANG. Without them
// it falls back to UTC and to C, and says nothing.
#pragma once

#include "contents/root_tree.hpp"

namespace ukl {

/// Where a C library finds the zone that TZ names (tzset(3)); empty if it needs no file: TZ is not set, or is
/// a rule such as CET-1CEST, or plain UTC. `environment` is a list of NAME=value, of which the last counts;
/// TZDIR is heeded.
std::string time_zone_file(const std::vector<std::string>& environment);

/// Adds the zone of TZ and the locales of LANG and LC_* from this machine, where the tree has none. Returns a
/// sentence for each that this machine does not have. Errors: those of RootTree::add_same_path.
Result<std::vector<std::string>> add_environment_files(RootTree& tree,
                                                       const std::vector<std::string>& environment);

/// Adds the locale C.UTF-8, on which every program may rely on Debian (it is in libc-bin, an essential
/// package), if the tree holds glibc and another program or library that asks for locales.
Result<void> add_standard_locale(RootTree& tree);

} // namespace ukl
