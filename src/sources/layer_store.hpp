// SPDX-License-Identifier: GPL-2.0-only
// The cache of unpacked layers. Below cache_folder():
//
//   layers/<sha256>/       files 0, 1, 2 …, and `index` with what the archive says of them
//   layers/<sha256>.new/   one that is being unpacked
#pragma once

#include "sources/byte_stream.hpp"
#include "sources/layer.hpp"
#include "support/reporter.hpp"

#include <functional>

namespace ukl {

/// Unpacks archives into a layer's folder.
class LayerWriter {
public:
  explicit LayerWriter(std::filesystem::path folder) { layer_.folder = std::move(folder); }
  /// All entries of a tar archive. `name` is for messages. Errors: unreadable (damaged, or with names that
  /// lead out of it), unwritable, disk_full, interrupted, usage (too large).
  Result<void> unpack(ByteStream& stream, const std::string& name);
  /// A file that is no entry, under a name of the caller's own.
  Result<void> keep(const std::string& name, const std::string& text);
  const Layer& layer() const { return layer_; }

private:
  Result<void> take_entry(archive* reader, archive_entry* header, const std::string& name);
  Result<void> take_file(archive* reader, archive_entry* header, const std::string& name,
                         std::uint64_t number);
  bool cut_ = false; // the archive ended with a file's last byte
  Layer layer_;
  std::uint64_t bytes_ = 0, files_ = 0;
};

/// Fills a layer that the cache lacks. It has to read all of its source and give its SHA-256.
using FillLayer = std::function<Result<std::string>(LayerWriter&)>;

/// The layer of this SHA-256 (64 hexadecimal digits), from the cache or unpacked by `fill`, which only one
/// process does at a time. `name` is for messages. Errors: unreadable (its SHA-256 is another), those of
/// `fill`, unwritable; nothing half-made stays.
Result<Layer> store_layer(const std::string& sha256, const std::string& name, const FillLayer& fill,
                          Reporter& reporter);

/// True if the cache has it, whole.
bool has_layer(const std::string& sha256);

/// Lets `unpack` read an archive and gives the SHA-256 of all of it. Where that is not `sha256`, what is
/// wrong with the archive itself is no error: the digest says more. Errors: those of `unpack`.
Result<std::string> unpack_hashed(ByteStream& stream, const std::string& sha256,
                                  const std::function<Result<void>(ByteStream&)>& unpack);

/// The hexadecimal part of `sha256:…`. Errors: usage (another algorithm), unreadable (no digest).
Result<std::string> sha256_of_digest(const std::string& digest, const std::string& name);

} // namespace ukl
