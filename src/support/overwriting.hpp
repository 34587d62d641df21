// SPDX-License-Identifier: GPL-2.0-only
// An output that would destroy what it is made of, also under another name or through a link.
#pragma once

#include "support/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ukl {

/// Error: usage, if `output` is one of the inputs, by device and number of the file. Inputs that do not exist
/// are none.
Result<void> refuse_overwriting(const std::filesystem::path& output,
                                const std::vector<std::filesystem::path>& inputs);

/// What of a compiler's arguments may name a file that it reads: each as a whole, behind its @, and behind =
/// or a comma.
std::vector<std::filesystem::path> possible_inputs(const std::vector<std::string>& arguments);

/// The prerequisites in a file of make rules as gcc writes it (DEPENDENCIES_OUTPUT in gcc's manual); none
/// without it.
std::vector<std::filesystem::path> read_dependencies(const std::filesystem::path& rules);

} // namespace ukl
