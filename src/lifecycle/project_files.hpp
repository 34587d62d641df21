// SPDX-License-Identifier: GPL-2.0-only
// Secrets and configs of a project: files that its services get at their start.
#pragma once

#include "lifecycle/project.hpp"

namespace ukl {

/// Reads `secrets:` or `configs:` of the file (`key`) into `files`. Error: usage, with file and line.
Result<void> read_files(Project& project, const std::string& key, const YamlValue& value,
                        std::map<std::string, ProjectFile>& files);

/// The options of `ukl run` for `secrets` and `configs` of a service. Error: usage, with file and line.
Result<std::vector<std::string>> secret_options(Project& project, const std::string& service,
                                                const YamlValue& value);
Result<std::vector<std::string>> config_options(Project& project, const std::string& service,
                                                const YamlValue& value);

/// Writes the configs whose contents stand in the file or in a variable. Errors: those of write_text.
Result<void> write_contents(const Project& project);
/// Removes these again.
void remove_contents(const Project& project);

} // namespace ukl
