// SPDX-License-Identifier: GPL-2.0-only
#include "image/zstd.hpp"

#include <algorithm>
#include <bit>
#include <zstd.h>

namespace ukl {
namespace {

constexpr int kLevel = 12; // higher ones take ten times as long for some percent
constexpr std::uint64_t kLeastWindow = 32 << 10, kMostWindow = 2 << 20;

} // namespace

struct ZstdWriter::Context {
  ZSTD_CCtx* zstd = ZSTD_createCCtx();
  ~Context() { ZSTD_freeCCtx(zstd); }
};

std::uint64_t zstd_window(std::uint64_t size) {
  return size >= kMostWindow ? kMostWindow : std::max(kLeastWindow, std::bit_ceil(size));
}

ZstdWriter::ZstdWriter(std::uint64_t size) : context_(std::make_unique<Context>()) {
  if (!context_->zstd)
    return;
  ZSTD_CCtx_setParameter(context_->zstd, ZSTD_c_compressionLevel, kLevel);
  ZSTD_CCtx_setParameter(context_->zstd, ZSTD_c_windowLog, std::countr_zero(zstd_window(size)));
}

ZstdWriter::~ZstdWriter() = default;

bool ZstdWriter::move(std::span<const std::uint8_t> bytes, bool end, Bytes& compressed) {
  if (!context_->zstd)
    return false;
  ZSTD_inBuffer input = {bytes.data(), bytes.size(), 0};
  std::uint8_t room[65536];
  for (std::size_t left = 1; end ? left != 0 : input.pos < input.size;) {
    ZSTD_outBuffer output = {room, sizeof room, 0};
    left = ZSTD_compressStream2(context_->zstd, &output, &input, end ? ZSTD_e_end : ZSTD_e_continue);
    if (ZSTD_isError(left))
      return false;
    compressed.insert(compressed.end(), room, room + output.pos);
  }
  return true;
}

bool ZstdWriter::write(std::span<const std::uint8_t> bytes, Bytes& compressed) {
  return move(bytes, false, compressed);
}

bool ZstdWriter::finish(Bytes& compressed) {
  return move({}, true, compressed);
}

} // namespace ukl
