// SPDX-License-Identifier: GPL-2.0-only
// An image's files as nothing but an archive, for kernels that are started in another way and do not know
// where files in place lie (`ukl export --format efi`).
#pragma once

#include "image/write.hpp"

namespace ukl {

/// The payload of the image: as it is, or with the files that lie behind its archive put into it. Errors:
/// not_found, unreadable, not_an_image (a damaged payload).
Result<Bytes> plain_archive(const std::filesystem::path& image, const ImageInfo& info);

} // namespace ukl
