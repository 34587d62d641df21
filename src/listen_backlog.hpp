// SPDX-License-Identifier: GPL-2.0-only
// Forwarded ports take bursts of connections.
#pragma once

#include <sys/types.h>

namespace ukl {

/// Gives every listening socket of our child `pid` the longest queue of waiting connections that the system
/// allows. QEMU's user networking listens for a forwarded port with room for one (libslirp, src/socket.c), so
/// of several clients that come at once some would wait for seconds or be reset. Takes the sockets with
/// pidfd_getfd(2); on a listening socket listen(2) only sets the length. Returns how many sockets were
/// changed; where the system does not allow it, that is 0 and nothing is lost but the burst.
int widen_listen_backlogs(pid_t pid);

} // namespace ukl
