// SPDX-License-Identifier: GPL-2.0-only
// virtio-serial ports, found by the names that the host gave them.
#pragma once

namespace ukl::init {

/// Opens the port of this name for reading and writing, once Linux has it: it learns of ports and of their
/// names in the background, after init has started. To be called only for a port that the host has said to be
/// there (key::streams); -1, after saying so, if it does not appear within ten seconds.
int open_port(const char* name);

} // namespace ukl::init
