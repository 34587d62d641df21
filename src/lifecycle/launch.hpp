// SPDX-License-Identifier: GPL-2.0-only
// Starting a machine that outlives this process.
#pragma once

#include "lifecycle/readiness.hpp"
#include "lifecycle/supervise.hpp"

namespace ukl {

/// Starts a process that looks after the machine (supervise.hpp), in a session of its own, and returns once
/// the machine is ready. A machine that is not ready in time is stopped. Errors: what kept the machine from
/// running, as `ukl run` in the foreground has it; not_ready; interrupted (Ctrl-C stops the machine);
/// unwritable.
Result<void> launch(Supervision supervision, const Readiness& readiness);

} // namespace ukl
