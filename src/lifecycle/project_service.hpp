// SPDX-License-Identifier: GPL-2.0-only
// One service of a Compose file.
#pragma once

#include "lifecycle/project.hpp"

namespace ukl {

/// Reads `services.NAME`. `project` has its name, file, volumes, secrets and configs; notes are added to it.
/// Error: usage, with file and line.
Result<Service> read_service(Project& project, const std::string& name, const YamlValue& value);

} // namespace ukl
