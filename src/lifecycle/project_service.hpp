// SPDX-License-Identifier: GPL-2.0-only
// One service of a Compose file.
#pragma once

#include "lifecycle/project.hpp"

namespace ukl {

/// Reads `services.NAME`. `project` has its name, file and volumes; notes are added to it. Error: usage, with
/// file and line.
Result<Service> read_service(Project& project, const std::string& name, const YamlValue& value);

/// A text, or a list of texts. Error: usage.
Result<std::vector<std::string>> texts_of(const std::filesystem::path& file, const std::string& key,
                                          const YamlValue& value);
/// The words of a command line, as a shell takes quotes and backslashes. Nothing if a quote has no end.
std::optional<std::vector<std::string>> shell_words(const std::string& line);

} // namespace ukl
