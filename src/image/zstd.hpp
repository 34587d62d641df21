// SPDX-License-Identifier: GPL-2.0-only
// zstd as Linux unpacks it.
#pragma once

#include "support/files.hpp"

#include <memory>

namespace ukl {

/// How far back a stream that unpacks to so many bytes refers, in bytes: Linux's decompressor takes twice
/// that in memory (lib/decompress_unzstd.c). Where a program and init have the same libraries linked in, it
/// takes 2 MiB to see it.
std::uint64_t zstd_window(std::uint64_t size);

/// Compresses what it is given.
class ZstdWriter {
public:
  /// `size`: about how many bytes that will be.
  explicit ZstdWriter(std::uint64_t size);
  ZstdWriter(ZstdWriter&&) = delete;
  ~ZstdWriter();

  /// Adds what comes of these bytes to `compressed`. False: there is no memory.
  bool write(std::span<const std::uint8_t> bytes, Bytes& compressed);
  /// The same for the end.
  bool finish(Bytes& compressed);

private:
  struct Context;
  bool move(std::span<const std::uint8_t> bytes, bool end, Bytes& compressed);
  std::unique_ptr<Context> context_;
};

} // namespace ukl
