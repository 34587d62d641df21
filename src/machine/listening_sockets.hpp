// SPDX-License-Identifier: GPL-2.0-only
// QEMU's listening sockets, which it makes for forwarded ports and of which it tells nothing.
#pragma once

#include "support/files.hpp"

#include <vector>

namespace ukl {

/// The listening sockets of our child `pid`: descriptors of our own for the same sockets, taken with
/// pidfd_getfd(2). Empty where the system does not allow that (a container's seccomp profile, or
/// kernel.yama.ptrace_scope of 2 and more).
std::vector<FileDescriptor> listening_sockets(pid_t pid);

/// Gives every listening socket of our child `pid` the longest queue of waiting connections that the system
/// allows. QEMU's user networking listens for a forwarded port with room for one (libslirp, src/socket.c), so
/// of several clients that come at once some would wait for seconds or be reset. On a listening socket
/// listen(2) only sets the length. Returns how many sockets were changed.
int widen_listen_backlogs(pid_t pid);

} // namespace ukl
