// SPDX-License-Identifier: GPL-2.0-only
// A file of lines that only grows at its end and yet is bounded: once it has half of what it may have, it is
// renamed to NAME.1, in place of an older one, and begins anew.
#pragma once

#include "support/files.hpp"

#include <functional>

namespace ukl {

/// The writing end; several processes may have one.
class BoundedFile {
public:
  /// Errors: unwritable, disk_full.
  static Result<BoundedFile> open(const std::filesystem::path& path, std::uint64_t most);
  /// Adds a line, which ends with a newline. False: the disk did not take it, or an older part was lost.
  bool add(std::string_view line);

private:
  bool begin_anew();
  std::filesystem::path path_;
  std::uint64_t most_ = 0;
  FileDescriptor file_;
};

/// The reading end.
class BoundedFileReader {
public:
  explicit BoundedFileReader(std::filesystem::path path) : path_(std::move(path)) {}
  /// Gives each whole line, without its newline, that was added since the last call; oldest first.
  void more(const std::function<void(std::string_view)>& take);

private:
  void read_on(const std::function<void(std::string_view)>& take);
  std::filesystem::path path_;
  FileDescriptor file_;
  std::string unread_;
};

} // namespace ukl
