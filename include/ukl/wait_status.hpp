// SPDX-License-Identifier: GPL-2.0-only
// What waitpid(2) says of a child, as a shell would.
#pragma once

#include <sys/wait.h>

namespace ukl {

/// The exit status, or 128 + the number of the signal that ended it. `wait_status`: of a child that has
/// ended.
inline int exit_status(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

} // namespace ukl
