// SPDX-License-Identifier: GPL-2.0-only
// Files and folders that clean up behind themselves, with errors that name them.
#pragma once

#include "support/result.hpp"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ukl {

using Bytes = std::vector<std::uint8_t>;

/// An open file descriptor, closed by its owner.
class FileDescriptor {
public:
  FileDescriptor() = default;
  explicit FileDescriptor(int fd) : fd_(fd) {}
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(other.release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();
  int get() const { return fd_; }
  int release();
  explicit operator bool() const { return fd_ >= 0; }

private:
  int fd_ = -1;
};

/// A folder below TMPDIR (or /tmp) that is removed with all it holds when its owner goes.
class TemporaryFolder {
public:
  static Result<TemporaryFolder> create(const std::string& prefix);
  /// In the folder of `path`, so that it can become that path: only its owner may look into it.
  static Result<TemporaryFolder> create_beside(const std::filesystem::path& path);
  /// Moves it to `path`, in the place of a folder that is there, and gives it up. Error: unwritable.
  Result<void> become(const std::filesystem::path& path);
  TemporaryFolder(TemporaryFolder&& other) noexcept;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder();
  const std::filesystem::path& path() const { return path_; }

private:
  explicit TemporaryFolder(std::filesystem::path path) : path_(std::move(path)) {}
  std::filesystem::path path_;
};

/// A file that appears under its name only when it is whole: written beside it under a temporary name,
/// renamed by commit(), removed by the destructor otherwise (also after Ctrl-C, see support/interrupt.hpp).
class AtomicFile {
public:
  /// Error: unwritable (also where a device, a pipe or a socket is). `mode` as for chmod(2).
  static Result<AtomicFile> create(const std::filesystem::path& path, unsigned mode);
  AtomicFile(AtomicFile&& other) noexcept;
  AtomicFile& operator=(AtomicFile&&) = delete;
  ~AtomicFile();
  /// The descriptor to write to; stays ours.
  int descriptor() const { return fd_.get(); }
  /// The name that it has until commit().
  const std::filesystem::path& temporary_path() const { return temporary_; }
  /// Appends. Error: disk_full or unwritable.
  Result<void> write(std::span<const std::uint8_t> bytes);
  /// Writes at `offset` bytes from the start, without moving the append position.
  Result<void> write_at(std::uint64_t offset, std::span<const std::uint8_t> bytes);
  /// Renames it into place. Error: disk_full or unwritable.
  Result<void> commit();

private:
  AtomicFile() = default;
  std::filesystem::path path_, temporary_;
  FileDescriptor fd_;
  bool committed_ = false;
};

/// A whole file. Errors: not_found, unreadable.
Result<Bytes> read_file(const std::filesystem::path& path);
/// The same as text.
Result<std::string> read_text(const std::filesystem::path& path);
/// Replaces `path` by `text` in one step (AtomicFile).
Result<void> write_text(const std::filesystem::path& path, const std::string& text, unsigned mode = 0644);
/// An Error for a failed system call on `path`: errno decides between not_found, unreadable, unwritable,
/// disk_full.
Error file_error(const std::filesystem::path& path, const std::string& doing, int error_number);
/// SHA-256 in hexadecimal.
std::string sha256_hex(std::span<const std::uint8_t> bytes);
std::string sha256_hex(std::string_view text);

} // namespace ukl
