// SPDX-License-Identifier: GPL-2.0-only
// zstd as Linux unpacks it.
#pragma once

#include "support/files.hpp"

#include <memory>

namespace ukl {

/// Compresses what it is given, for a small machine: Linux's decompressor takes twice the window in memory
/// (lib/decompress_unzstd.c), so that it has 32 KiB here, where zstd would take some MiB.
class ZstdWriter {
public:
  ZstdWriter();
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
