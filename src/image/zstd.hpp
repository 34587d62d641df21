// SPDX-License-Identifier: GPL-2.0-only
// zstd as Linux unpacks it.
#pragma once

#include "support/files.hpp"

namespace ukl {

/// Compressed for a small machine: Linux's decompressor takes twice the window in memory
/// (lib/decompress_unzstd.c), so that it has 32 KiB here, where zstd would take some MiB. Error: internal
/// (no memory).
Result<Bytes> zstd_compressed(const Bytes& bytes);

} // namespace ukl
