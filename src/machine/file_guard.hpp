// SPDX-License-Identifier: GPL-2.0-only
// What a process that serves the host's files to a machine may not do to them, whatever the machine asks for:
// a filter of system calls (seccomp(2)) that it carries from before it begins.
#pragma once

#include <linux/filter.h>
#include <vector>

namespace ukl {

/// How far a server of files is held back.
struct FileGuard {
  bool read_only = false;   ///< everything that would change a file or a folder fails with EROFS
  bool keep_groups = false; ///< setgroups(2) does nothing and succeeds, where the kernel would refuse it
};

/// The filter. Always: no set-user-ID or set-group-ID bit is given to a file (EPERM), no device node is made
/// (EPERM), and no way round the filter is open (io_uring, 32-bit calls).
std::vector<sock_filter> file_guard_filter(const FileGuard& guard);

/// Puts this process and all that it starts under the filter for ever. Async-signal-safe, so that it may run
/// between fork and exec. Returns 0, or errno.
int enter_file_guard(const std::vector<sock_filter>& filter);

} // namespace ukl
