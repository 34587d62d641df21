// SPDX-License-Identifier: GPL-2.0-only
// Processes that are there when the program has ended.
#pragma once

#include <string>

namespace ukl::init {

/// The name of the program's parent (see start.hpp).
inline constexpr const char* kParentName = "ukl-parent";

struct Survivors {
  std::string names;       ///< of all of them, with their numbers; empty: there are none
  bool in_session = false; ///< one has left the program's session by setsid(2), as a daemon does
};

/// Looks at /proc. Processes of Linux itself, and the program's parent, do not count.
Survivors find_survivors();

/// The same; but where there are some, none of them with a session of its own, it first gives one that is
/// just becoming a daemon up to an eighth of a second for its call of setsid(2), of which Linux tells nobody.
Survivors find_daemons();

} // namespace ukl::init
