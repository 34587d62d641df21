// SPDX-License-Identifier: GPL-2.0-only
#include "support/mapped_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <utility>

namespace ukl {

Result<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat status = {};
  if (!file || fstat(file.get(), &status) != 0)
    return file_error(path, "read", errno);
  if (!S_ISREG(status.st_mode))
    return file_error(path, "read", S_ISDIR(status.st_mode) ? EISDIR : EINVAL);
  MappedFile mapped;
  mapped.size_ = static_cast<std::size_t>(status.st_size);
  if (mapped.size_ == 0)
    return mapped;
  void* start = mmap(nullptr, mapped.size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (start == MAP_FAILED)
    return file_error(path, "read", errno);
  mapped.start_ = start;
  return mapped;
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : start_(std::exchange(other.start_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile::~MappedFile() {
  if (start_)
    munmap(start_, size_);
}

} // namespace ukl
