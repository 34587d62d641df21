// SPDX-License-Identifier: GPL-2.0-only
// Container images as files: OCI's image layout, and what `docker save` writes.
#pragma once

#include "sources/blobs.hpp"
#include "sources/source.hpp"

namespace ukl {

/// The image of an OCI layout (image-spec, image-layout.md) for linux/amd64; `tag` may be empty if there is
/// only one. `name` is for messages. Errors: not_found, unreadable (damaged, wrong digests), usage (no such
/// tag, several images), wrong_architecture, those of store_layer.
Result<Source> open_layout(Blobs& blobs, const std::string& tag, const std::string& name, Reporter& reporter);

/// The image of an archive of `docker save`; `image` may be empty if there is only one. Errors: the same.
Result<Source> open_saved_image(Blobs& blobs, const std::string& image, const std::string& name,
                                Reporter& reporter);

/// Splits PATH[:TAG], where the path as a whole goes first if it exists.
std::pair<std::filesystem::path, std::string> split_tag(const std::string& text);

} // namespace ukl
