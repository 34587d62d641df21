// SPDX-License-Identifier: GPL-2.0-only
// One service of a Compose file.
#pragma once

#include "lifecycle/project.hpp"

namespace ukl {

/// This machine in the machines' network (QEMU's user network), where published ports are.
inline constexpr const char* kHostAddress = "10.0.2.2";

/// Reads `services.NAME`. `project` has its name, file, volumes, secrets and configs; notes are added to it.
/// Error: usage, with file and line.
Result<Service> read_service(Project& project, const std::string& name, const YamlValue& value);

} // namespace ukl
