// SPDX-License-Identifier: GPL-2.0-only
// What lies in an image's payload.
#pragma once

#include "image/write.hpp"

#include <functional>
#include <map>

namespace ukl {

/// One file of the payload.
struct PayloadEntry {
  std::string path;       ///< absolute
  char type = '-';        ///< as `ls -l` shows it: - d l c b p s
  unsigned mode = 0;      ///< permission bits
  std::uint64_t size = 0; ///< bytes of contents
  unsigned owner = 0, group = 0;
  std::int64_t time = 0; ///< of the last change, seconds since 1970
  std::string target;    ///< of a symbolic link
  std::string same_as;   ///< of a further name of a file: its first one, which has the contents
};

/// Gives the contents of the entry being visited. Error: not_an_image (the payload is damaged).
using ReadContents = std::function<Result<Bytes>()>;

/// A file behind the archive (asm/ukl_image.h).
struct FileInPlace {
  std::uint64_t offset = 0, size = 0; ///< of its contents, in the image's file: bytes
};

/// By their absolute paths. Errors: not_found, unreadable, not_an_image (a damaged payload).
Result<std::map<std::string, FileInPlace>> files_in_place(const std::filesystem::path& image,
                                                          const ImageInfo& info);

/// Calls `visit` for each entry in order; an error that it returns ends the reading and is passed on. Errors:
/// not_found, unreadable, not_an_image (a damaged payload).
Result<void> read_payload(const std::filesystem::path& image, const ImageInfo& info,
                          const std::function<Result<void>(const PayloadEntry&, const ReadContents&)>& visit);

} // namespace ukl
