// SPDX-License-Identifier: GPL-2.0-only
// Files from one file system into another.
#pragma once

#include <string>

namespace ukl::init {

/// Moves all that lies in the folder `from` (empty: the root) into the folder `to`, with owners, modes, times
/// and hard links; files that `to` has already are replaced, folders are joined. It takes no more than a
/// megabyte of further memory, because what was copied is given up at once. `spared` (may be null) is one
/// path below `from` that stays where it is. Ends the machine if it cannot.
void move_tree(const std::string& from, const std::string& to, const char* spared);

} // namespace ukl::init
