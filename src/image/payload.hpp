// SPDX-License-Identifier: GPL-2.0-only
// The payload of an image: its root tree as a cpio archive of the kind that Linux takes as initramfs ("newc";
// Documentation/driver-api/early-userspace/buffer-format.rst).
#pragma once

#include "contents/root_tree.hpp"
#include "image/memory.hpp"

namespace ukl {

/// How files get into the machine's root file system.
enum class PayloadKind : std::uint8_t {
  archive,    ///< Linux copies them out of the archive
  compressed, ///< the same from one that zstd has compressed; smaller, and slower to make and to boot
  in_place,   ///< large files lie behind the archive, and their pages become the file's (asm/ukl_image.h)
};

/// Files smaller than this stay in the archive, bytes: pages of their own would make the image larger.
inline constexpr std::uint64_t kLeastInPlace = 16384;

struct Payload {
  Bytes bytes;                    ///< the archive, and from the next page on files in place
  std::uint64_t archive_size = 0; ///< bytes
  std::uint64_t in_place = 0;     ///< how many files lie behind it
  TreeSize size;                  ///< what the tree will take in memory
};

/// Packs the tree. The same tree gives the same bytes: sorted, but what init needs comes first, and the mark
/// that says that all was unpacked (kCompletePath) last. Times are those of the tree, none later than
/// `newest` (seconds since 1970); the format has whole seconds up to the year
/// 2106. Errors: not_found, unreadable (a file of the host), usage (a file of 4 GiB or more), interrupted.
Result<Payload> make_payload(const RootTree& tree, PayloadKind kind = PayloadKind::archive,
                             std::int64_t newest = UINT32_MAX);

} // namespace ukl
