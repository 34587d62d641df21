// SPDX-License-Identifier: GPL-2.0-only
// A machine's place on a bridge of this machine.
#pragma once

#include "support/files.hpp"

#include <string>
#include <vector>

namespace ukl {

/// A tap device that is gone when its last descriptor is closed, whoever was killed before.
struct BridgePort {
  std::string device;
  std::vector<FileDescriptor> queues; ///< one for each
};

/// Makes one, puts it on the bridge with the bridge's MTU and starts it. Nothing if we may not: that is for
/// root, and others have QEMU's helper. Errors: unreadable, machine.
Result<std::optional<BridgePort>> join_bridge(const std::string& bridge, unsigned queues);

/// Whether we or QEMU's helper could. Error: missing_tool.
Result<void> check_bridge_port();

} // namespace ukl
