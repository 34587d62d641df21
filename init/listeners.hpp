// SPDX-License-Identifier: GPL-2.0-only
// Whether the program listens yet, for `ukl run`, which opens a forwarded port only then.
#pragma once

#include <string_view>
#include <vector>

namespace ukl::init {

/// Whether somebody listens on `port` according to /proc/net/tcp or tcp6. They list listeners before
/// connections, so the beginning of a long table is enough.
bool listens(std::string_view table, int port);

/// From now on, a listener on this TCP port is waited for.
void await_listener(int port);

/// The awaited ports on which somebody listens by now; they are no longer awaited. Looks only if it is time
/// to.
std::vector<int> take_listeners();

/// In how many milliseconds to call take_listeners() next; -1: nothing is awaited. Nothing in Linux tells
/// that somebody listens, so this is a sixteenth of the time waited so far: 1 at first, 200 at most.
int until_next_look();

} // namespace ukl::init
