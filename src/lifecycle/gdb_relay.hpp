// SPDX-License-Identifier: GPL-2.0-only
// gdb's line to a machine: our standard streams, connected to QEMU's gdbstub, which is there only meanwhile.
#pragma once

#include "lifecycle/record.hpp"

namespace ukl {

/// Until gdb closes its end, or the machine ends. Then the machine goes on, whatever gdb has left it in.
/// Errors: those of QemuClient.
Result<void> relay_gdb(const KnownMachine& machine);

} // namespace ukl
