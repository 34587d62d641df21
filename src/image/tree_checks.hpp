// SPDX-License-Identifier: GPL-2.0-only
// What can be said of an image's files before they are packed.
#pragma once

#include "image/sourced_request.hpp"

namespace ukl {

/// Error: usage, if the files do not fit into an image, or one of them is `output`.
Result<void> check_tree(const RootTree& tree, const std::filesystem::path& output, bool compress);

/// As whom the program runs: user and group.
std::pair<unsigned, unsigned> program_user(const Manifest& settings);

/// What of the user's own goes into the image or was read for it, as image_mode takes it.
std::vector<AddedFile> user_files(const SourcedRequest& sourced);

} // namespace ukl
