// SPDX-License-Identifier: GPL-2.0-only
// A layer: an archive of files that was unpacked into the cache, where its files have numbers for names, so
// that nothing an archive says is ever a name on this machine. What it says is kept beside them, as an index.
#pragma once

#include "support/files.hpp"

#include <optional>

namespace ukl {

/// One entry of the archive.
struct LayerEntry {
  enum class Kind : char { folder = 'd', file = 'f', link = 'l', hard_link = 'h' };
  Kind kind = Kind::file;
  unsigned mode = 0, owner = 0, group = 0;
  std::int64_t time = 0;       ///< seconds since 1970
  std::uint64_t number = 0;    ///< of a file: its name in the layer's folder
  std::string path;            ///< absolute, without . and ..; any bytes but NUL
  std::string target;          ///< of a link, as it is; of a hard link a path like `path`
  std::uint64_t size = 0;      ///< of a file, in bytes
  std::string capability = {}; ///< of a file (file_capability.hpp); empty: none
};

struct Layer {
  std::filesystem::path folder; ///< where its files lie
  std::vector<LayerEntry> entries;
  std::vector<std::string> left_out; ///< devices, pipes, sockets: they do not go into an image

  std::filesystem::path file(const LayerEntry& entry) const { return folder / std::to_string(entry.number); }
};

/// The index as text, a line for each entry.
std::string encode_index(const Layer& layer);
/// Nothing if it is not whole.
std::optional<Layer> decode_index(const std::string& text);

/// A path of an archive as a path of the root: absolute ones and . are taken for what they mean. Error:
/// unreadable (.., or a name that is too long for Linux).
Result<std::string> root_path(const std::string& path, const std::string& archive);

} // namespace ukl
