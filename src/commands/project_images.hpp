// SPDX-License-Identifier: GPL-2.0-only
// The images of a project that are made by it: from packages, registries and Dockerfiles.
#pragma once

#include "lifecycle/project.hpp"

#include <set>

namespace ukl {

/// Makes those of the services in `wanted` that are not there, or of all of these with `anew`. What makes
/// them writes to standard error. Errors: missing_tool (nothing here builds container images), interrupted,
/// those of `ukl pack`, and kernel_build's like for a builder that fails.
Result<void> make_images(const Project& project, const std::set<std::string>& wanted, const std::string& tool,
                         bool anew);

/// Looks into the images that are there: a kernel without a network has no cards, and a container image may
/// say how its health is checked. Errors: those of read_image, usage (somebody waits for a health that nobody
/// can tell).
Result<void> fit_to_images(Project& project);

/// The commands of make_images, for people.
std::vector<std::vector<std::string>> image_commands(const Project& project, const Service& service,
                                                     bool anew);

} // namespace ukl
