// SPDX-License-Identifier: GPL-2.0-only
// virtio-serial ports, found by the names that the host gave them.
#pragma once

namespace ukl::init {

/// Milliseconds. Linux learns of ports and of their names in the background, after init has started.
inline constexpr int kWaitForPorts = 2000;

/// Opens the port of this name for reading and writing, waiting up to `milliseconds` for it if the machine
/// has a virtio console device at all. -1 if there is no such port.
int open_port(const char* name, int milliseconds);

} // namespace ukl::init
