// SPDX-License-Identifier: GPL-2.0-only
// What a container image says of its program.
#pragma once

#include "sources/source.hpp"

#include <nlohmann/json.hpp>

namespace ukl {

/// Fills `source` in from an image's configuration (OCI's image-spec, config.md; Docker's is the same). Its
/// tree has to be whole, because users are looked up in it. Errors: wrong_architecture (not linux/amd64),
/// usage (a user that the tree does not have).
Result<void> read_image_config(const nlohmann::json& config, const std::string& name, Source& source);

/// Error: wrong_architecture, unless it is empty (not said) or what we run.
Result<void> check_platform(const std::string& system, const std::string& architecture,
                            const std::string& name);

} // namespace ukl
