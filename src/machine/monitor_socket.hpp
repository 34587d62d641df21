// SPDX-License-Identifier: GPL-2.0-only
// The monitor of QEMU's that a machine has for others than the process that started it: `ukl dump`, `ukl
// gdb`. It lies in the machine's folder, which only its user can enter; QEMU takes one client at a time.
#pragma once

#include "support/files.hpp"

namespace ukl {

/// Listens in a machine's folder, for QEMU to take over. Error: unwritable.
Result<FileDescriptor> listen_for_monitor(const std::filesystem::path& folder);
/// Connects to it. Error: unreadable.
Result<FileDescriptor> connect_to_monitor(const std::filesystem::path& folder);

} // namespace ukl
