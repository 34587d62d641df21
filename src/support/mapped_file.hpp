// SPDX-License-Identifier: GPL-2.0-only
// A file's bytes without reading all of them: only the pages that are looked at.
#pragma once

#include "support/files.hpp"

namespace ukl {

/// A regular file mapped read-only. A file that another process cuts short meanwhile ends us with SIGBUS, so
/// this is for files that stay as they are: programs, libraries, images.
class MappedFile {
public:
  /// Errors: not_found, unreadable (also for anything but a regular file).
  static Result<MappedFile> open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;
  ~MappedFile();
  std::span<const std::uint8_t> bytes() const { return {static_cast<const std::uint8_t*>(start_), size_}; }

private:
  MappedFile() = default;
  void* start_ = nullptr;
  std::size_t size_ = 0;
};

} // namespace ukl
