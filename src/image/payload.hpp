// SPDX-License-Identifier: GPL-2.0-only
// The payload of an image: its root tree as a cpio archive of the kind that Linux takes as initramfs ("newc";
// Documentation/driver-api/early-userspace/buffer-format.rst).
#pragma once

#include "contents/root_tree.hpp"
#include "image/memory.hpp"

namespace ukl {

struct Payload {
  Bytes archive;
  TreeSize size; ///< what the tree will take in memory
};

/// Packs the tree. The same tree gives the same bytes: sorted, but what init needs comes first, and the mark
/// that says that all was unpacked (kCompletePath) last. Times are those of the tree, none later than
/// `newest` (seconds since 1970); the format has whole seconds up to the year
/// 2106. `compress`: with zstd, which Linux unpacks itself; smaller, but slower to make and to boot. Errors:
/// not_found, unreadable (a file of the host), usage (a file of 4 GiB or more), interrupted.
Result<Payload> make_payload(const RootTree& tree, bool compress = false, std::int64_t newest = UINT32_MAX);

} // namespace ukl
