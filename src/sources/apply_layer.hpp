// SPDX-License-Identifier: GPL-2.0-only
// Layers become a tree: each over those before it.
#pragma once

#include "contents/root_tree.hpp"
#include "sources/layer.hpp"

namespace ukl {

/// Whose rules hold.
enum class LayerKind {
  image,   ///< of a container image: `.wh.NAME` removes NAME of the layers below, `.wh..wh..opq` all of a
           ///< folder
  package, ///< a Debian package: a link to a folder stays where it has a folder
};

/// Puts a layer over `tree`; its files are those of `package`, unless that is null. `name` is for messages.
/// Errors: unreadable (a hard link to what is not there, a whiteout of nothing, a file where a folder is
/// needed, links in circles).
Result<void> apply_layer(RootTree& tree, const Layer& layer, LayerKind kind, const std::string& name,
                         const std::shared_ptr<const Package>& package = nullptr);

/// Sentences on what layers hold that no image can.
std::vector<std::string> describe_losses(const std::vector<Layer>& layers);

} // namespace ukl
