// SPDX-License-Identifier: GPL-2.0-only
// How much memory a machine needs for an image: the one computation, for `ukl pack`, `ukl run` and `ukl
// inspect`.
#pragma once

#include "image/write.hpp"

#include <optional>

namespace ukl {

/// What a root tree takes in memory once Linux has unpacked it.
struct TreeSize {
  std::uint64_t pages = 0;     ///< of 4 KiB that hold the contents of files
  std::uint64_t entries = 0;   ///< files, folders, links, devices
  std::uint64_t link_sets = 0; ///< files with several names; Linux remembers each until all is unpacked
  std::uint64_t in_place = 0; ///< of the pages, those that lie in the payload already (PayloadKind::in_place)

  /// Adds one entry: its type as in PayloadEntry, the bytes of its contents or target, and whether it is a
  /// file of its own (false: another name of one).
  void add(char type, std::uint64_t bytes, bool own);
};

/// As it stands in an image's note (key::tree).
std::string encode_tree_size(const TreeSize& size);

/// The reverse; nothing if it cannot be read.
std::optional<TreeSize> decode_tree_size(const std::string& text);

/// Of an image: out of its note, or counted by reading its payload if the note says nothing. Errors: those of
/// read_payload.
Result<TreeSize> tree_size(const std::filesystem::path& image, const ImageInfo& info);

/// The file system that Linux unpacks the payload into (the kernel parameter rootfstype).
enum class RootType {
  tmpfs, ///< Linux's choice; until init runs it holds at most half of the memory that the payload leaves
  ramfs, ///< no limit; init moves the files to a tmpfs before the program starts, which takes time
};

/// All in bytes; whole MiB, or quarters of one for the small kernels.
struct MemoryNeed {
  std::uint64_t least = 0;       ///< with which the image still runs a small program
  std::uint64_t for_tmpfs = 0;   ///< from which on RootType::tmpfs suffices; at least `least`
  std::uint64_t comfortable = 0; ///< with room for the program: what `ukl run` gives unless told otherwise
};

/// The smallest default of `ukl run -m`.
inline constexpr std::uint64_t kUsualMemory = 256ull << 20;

/// What an image needs in a machine with so many CPUs.
MemoryNeed memory_need(const ImageInfo& info, const TreeSize& tree, unsigned cpus = 1);

/// What the kernel of an image takes besides its own segments, while it unpacks: bytes.
std::uint64_t kernel_own_needs(const ImageInfo& info);

/// What to unpack into with so much memory.
RootType root_type(const MemoryNeed& need, std::uint64_t memory);

} // namespace ukl
