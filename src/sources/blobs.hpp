// SPDX-License-Identifier: GPL-2.0-only
// The files of an image layout: in a folder, or in a tar archive.
#pragma once

#include "sources/byte_stream.hpp"

#include <functional>
#include <memory>

namespace ukl {

/// Files by names such as `index.json` and `blobs/sha256/0123…`. Names of archives are never names on this
/// machine; those that are asked for in a folder are ours.
class Blobs {
public:
  virtual ~Blobs() = default;
  /// A small file, whole. Errors: not_found, unreadable (also: larger than 4 MiB).
  virtual Result<std::string> text(const std::string& name) = 0;
  /// Has `read` read a file of any size. Errors: not_found, unreadable, those of `read`.
  virtual Result<void> stream(const std::string& name,
                              const std::function<Result<void>(ByteStream&)>& read) = 0;
  virtual bool has(const std::string& name) = 0;
};

std::unique_ptr<Blobs> blobs_of_folder(const std::filesystem::path& folder);

/// Error: not_found, unreadable (no tar archive).
Result<std::unique_ptr<Blobs>> blobs_of_archive(const std::filesystem::path& file);

} // namespace ukl
