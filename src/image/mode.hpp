// SPDX-License-Identifier: GPL-2.0-only
// Who may read an image: nobody who may not read each of the files that are packed in it.
#pragma once

#include "contents/root_tree.hpp"
#include "image/pack.hpp"

namespace ukl {

/// The permission bits for an image of this tree that becomes `output`: 0666, from which the umask is taken
/// later, less what a host's file, or a folder inside of those that were added, keeps from others and from
/// the group that the output will have. What was added without a place is an archive whose files are in it.
unsigned image_mode(const RootTree& tree, const std::vector<AddedFile>& added,
                    const std::filesystem::path& output);

} // namespace ukl
