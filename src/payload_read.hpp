// SPDX-License-Identifier: GPL-2.0-only
// What lies in an image's payload.
#pragma once

#include "image.hpp"

#include <functional>

namespace ukl {

/// One file of the payload.
struct PayloadEntry {
  std::string path;       ///< absolute
  char type = '-';        ///< as `ls -l` shows it: - d l c b p s
  unsigned mode = 0;      ///< permission bits
  std::uint64_t size = 0; ///< bytes of contents
  std::string target;     ///< of a link
};

/// Gives the contents of the entry being visited. Error: not_an_image (the payload is damaged).
using ReadContents = std::function<Result<Bytes>()>;

/// Calls `visit` for each entry in order; an error that it returns ends the reading and is passed on. Errors:
/// not_found, unreadable, not_an_image (a damaged payload).
Result<void> read_payload(const std::filesystem::path& image, const ImageInfo& info,
                          const std::function<Result<void>(const PayloadEntry&, const ReadContents&)>& visit);

/// The smallest memory with which the image boots, bytes. Linux holds the payload and the files unpacked from
/// it at the same time, and lets the latter fill half of the memory that is free then (the default size of
/// tmpfs). `unpacked` are the bytes of all files, each rounded up to pages.
std::uint64_t memory_needed(const ImageInfo& info, std::uint64_t unpacked);

/// The sum that memory_needed asks for.
Result<std::uint64_t> unpacked_size(const std::filesystem::path& image, const ImageInfo& info);

} // namespace ukl
