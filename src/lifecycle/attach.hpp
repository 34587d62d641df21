// SPDX-License-Identifier: GPL-2.0-only
// Our standard streams at a machine that runs by itself.
#pragma once

#include "lifecycle/record.hpp"

namespace ukl {

/// How it was left.
struct AttachEnd {
  bool detached = false; ///< the machine runs on
  int status = 0;        ///< of the machine
};

/// Shows what the machine writes from now on, gives it our input if it takes any, and passes the signals on
/// that we get, until it ends. Ctrl-P Ctrl-Q on a terminal leaves it running. Errors: machine_runs (in the
/// foreground of somebody else), no_such_machine (it does not run), unwritable.
Result<AttachEnd> attach_to(const KnownMachine& machine);

} // namespace ukl
