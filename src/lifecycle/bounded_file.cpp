// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/bounded_file.hpp"
#include "support/standard_streams.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

fs::path older(const fs::path& path) {
  return path.string() + ".1";
}

FileDescriptor open_to_write(const fs::path& path) {
  return FileDescriptor(::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
}

FileDescriptor open_to_read(const fs::path& path) {
  return FileDescriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
}

bool has_name(const FileDescriptor& file, const fs::path& path) {
  struct stat named = {}, ours = {};
  return stat(path.c_str(), &named) == 0 && fstat(file.get(), &ours) == 0 && named.st_ino == ours.st_ino;
}

} // namespace

Result<BoundedFile> BoundedFile::open(const fs::path& path, std::uint64_t most) {
  BoundedFile file;
  file.path_ = path;
  file.most_ = most;
  file.file_ = open_to_write(path);
  if (!file.file_)
    return file_error(path, "write", errno);
  return file;
}

bool BoundedFile::begin_anew() {
  // Only who holds the file that has the name renames it: two must not rename one after the other.
  flock(file_.get(), LOCK_EX);
  std::error_code error;
  if (has_name(file_, path_))
    fs::rename(path_, older(path_), error);
  auto next = open_to_write(path_);
  if (error || !next) {
    flock(file_.get(), LOCK_UN);
    [[maybe_unused]] const int emptied = ftruncate(file_.get(), 0);
    return false;
  }
  file_ = std::move(next);
  return true;
}

bool BoundedFile::add(std::string_view line) {
  struct stat info = {};
  bool kept = true;
  if (fstat(file_.get(), &info) == 0 && info.st_size > 0 &&
      static_cast<std::uint64_t>(info.st_size) + line.size() > most_ / 2)
    kept = begin_anew();
  return write_all(file_.get(), line) == 0 && kept;
}

void BoundedFileReader::read_on(const std::function<void(std::string_view)>& take) {
  char buffer[65536];
  for (ssize_t got; (got = read(file_.get(), buffer, sizeof buffer)) > 0;) {
    unread_.append(buffer, static_cast<std::size_t>(got));
    std::size_t start = 0;
    for (std::size_t end; (end = unread_.find('\n', start)) != std::string::npos; start = end + 1)
      take(std::string_view(unread_).substr(start, end - start));
    unread_.erase(0, start);
  }
}

void BoundedFileReader::more(const std::function<void(std::string_view)>& take) {
  if (!file_) {
    // Both are opened before either is read: one that is renamed in between would be read twice.
    auto first = open_to_read(older(path_)), second = open_to_read(path_);
    if (first && !has_name(first, path_)) {
      file_ = std::move(first);
      read_on(take);
    }
    file_ = std::move(second);
  }
  while (file_) {
    read_on(take);
    if (has_name(file_, path_))
      return;
    // Another file has the name: this one gets no more, but may have got something just now.
    read_on(take);
    file_ = open_to_read(path_);
  }
}

} // namespace ukl
