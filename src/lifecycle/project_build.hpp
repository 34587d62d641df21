// SPDX-License-Identifier: GPL-2.0-only
// What a service's image is made of.
#pragma once

#include "lifecycle/project.hpp"

namespace ukl {

/// Reads `build` of a service. Error: usage, with file and line.
Result<Service::Build> read_build(Project& project, const std::string& service, const YamlValue& value);

/// Chooses between a file that is there, a source of `ukl pack`, the name of an image in a registry, and what
/// `build` makes; afterwards `image` is a file. Error: usage, with file and line.
Result<void> choose_image(Project& project, Service& service, const YamlValue* image);

/// Commands, one after the other, that make a service's image in the project's folder; none if it is only to
/// be there. `builder`: buildah, podman or docker. `output`: the file that the last one writes.
std::vector<std::vector<std::string>> make_commands(const std::string& tool, const std::string& builder,
                                                    const Project& project, const Service& service,
                                                    const std::filesystem::path& output);

} // namespace ukl
