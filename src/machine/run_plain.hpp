// SPDX-License-Identifier: GPL-2.0-only
// A machine that has a console and no ports of ours: whatever it says comes on our standard output, and what
// is typed goes to it as it is. Signals cannot reach its program; those that ask us to end, end the machine.
#pragma once

#include "machine/hypervisor.hpp"
#include "machine/run.hpp"

namespace ukl {

/// Runs it to its end. Errors: missing_tool, machine (it ended without a status; with the last line of what
/// the hypervisor said), usage, unwritable.
Result<MachineEnd> run_plain_machine(const Hypervisor& hypervisor, const MachineOptions& options,
                                     const Manifest& manifest);

} // namespace ukl
