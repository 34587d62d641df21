// SPDX-License-Identifier: GPL-2.0-only
#include "image/zstd.hpp"

#include <fmt/format.h>
#include <memory>
#include <zstd.h>

namespace ukl {
namespace {

constexpr int kLevel = 6;      // higher ones take ten times as long for some percent
constexpr int kWindowLog = 15; // 32 KiB

} // namespace

Result<Bytes> zstd_compressed(const Bytes& bytes) {
  const std::unique_ptr<ZSTD_CCtx, decltype(&ZSTD_freeCCtx)> context(ZSTD_createCCtx(), ZSTD_freeCCtx);
  Bytes compressed(ZSTD_compressBound(bytes.size()));
  std::size_t size = 0;
  for (const auto& [parameter, value] :
       {std::pair(ZSTD_c_compressionLevel, kLevel), {ZSTD_c_windowLog, kWindowLog}})
    if (context)
      ZSTD_CCtx_setParameter(context.get(), parameter, value);
  if (context)
    size = ZSTD_compress2(context.get(), compressed.data(), compressed.size(), bytes.data(), bytes.size());
  if (!context || ZSTD_isError(size))
    return Error{Failure::internal,
                 fmt::format("cannot compress {} bytes: {}", bytes.size(),
                             context ? ZSTD_getErrorName(size) : "no memory"),
                 "leave out --compress"};
  compressed.resize(size);
  return compressed;
}

} // namespace ukl
