// SPDX-License-Identifier: GPL-2.0-only
#include "support/files.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace ukl {

namespace fs = std::filesystem;

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0)
      close(fd_);
    fd_ = other.release();
  }
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0)
    close(fd_);
}

int FileDescriptor::release() {
  return std::exchange(fd_, -1);
}

Result<TemporaryFolder> TemporaryFolder::create(const std::string& prefix) {
  const char* base = std::getenv("TMPDIR");
  std::string name = fmt::format("{}/{}.XXXXXX", base && *base ? base : "/tmp", prefix);
  if (!mkdtemp(name.data()))
    return file_error(name, "create", errno);
  return TemporaryFolder(name);
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty())
    fs::remove_all(path_, ignored);
}

Result<AtomicFile> AtomicFile::create(const fs::path& path, unsigned mode) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored))
    return file_error(path, "write", EISDIR);
  AtomicFile file;
  file.path_ = path;
  std::string name = path.string() + ".XXXXXX";
  file.fd_ = FileDescriptor(mkostemp(name.data(), O_CLOEXEC));
  if (!file.fd_)
    return file_error(path, "write", errno);
  file.temporary_ = name;
  if (fchmod(file.fd_.get(), mode) != 0)
    return file_error(path, "write", errno);
  return file;
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, {})),
      fd_(std::move(other.fd_)), committed_(other.committed_) {}

AtomicFile::~AtomicFile() {
  if (!temporary_.empty() && !committed_)
    unlink(temporary_.c_str());
}

Result<void> AtomicFile::write(std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(fd_.get(), bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return file_error(path_, "write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
  return {};
}

Result<void> AtomicFile::write_at(std::uint64_t offset, std::span<const std::uint8_t> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return file_error(path_, "write", errno);
    bytes = bytes.subspan(static_cast<std::size_t>(put));
    offset += static_cast<std::uint64_t>(put);
  }
  return {};
}

Result<void> AtomicFile::commit() {
  if (rename(temporary_.c_str(), path_.c_str()) != 0)
    return file_error(path_, "write", errno);
  committed_ = true;
  return {};
}

Result<Bytes> read_file(const fs::path& path) {
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd)
    return file_error(path, "read", errno);
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0)
    return file_error(path, "read", errno);
  if (S_ISDIR(info.st_mode))
    return file_error(path, "read", EISDIR);
  Bytes bytes(static_cast<std::size_t>(info.st_size));
  std::size_t filled = 0;
  while (true) {
    // One byte more than known shows that the file has grown, or that its size was never known (/proc).
    if (filled == bytes.size())
      bytes.resize(filled + 4096);
    const ssize_t got = read(fd.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return file_error(path, "read", errno);
    if (got == 0)
      break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

Result<std::string> read_text(const fs::path& path) {
  auto bytes = read_file(path);
  if (!bytes)
    return bytes.error();
  return std::string(bytes->begin(), bytes->end());
}

Result<void> write_text(const fs::path& path, const std::string& text, unsigned mode) {
  auto file = AtomicFile::create(path, mode);
  if (!file)
    return file.error();
  if (auto written = file->write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}); !written)
    return written;
  return file->commit();
}

Error file_error(const fs::path& path, const std::string& doing, int error_number) {
  const bool writing = doing != "read" && doing != "start";
  Error error;
  error.message = fmt::format("cannot {} {}: {}", doing, path.string(), std::strerror(error_number));
  switch (error_number) {
  case ENOSPC:
  case EDQUOT:
    error.failure = Failure::disk_full;
    error.hint = "free some space and run the command again; nothing was left behind";
    break;
  case ENOENT:
  case ENOTDIR:
    error.failure = writing ? Failure::unwritable : Failure::not_found;
    error.hint = writing ? "create the folder first, or choose another output" : "check the path";
    break;
  default:
    error.failure = writing ? Failure::unwritable : Failure::unreadable;
    error.hint = "check the file's type and permissions (ls -l)";
  }
  return error;
}

std::string sha256_hex(std::span<const std::uint8_t> bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
  std::string text;
  for (unsigned i = 0; i < size; ++i)
    text += fmt::format("{:02x}", digest[i]);
  return text;
}

} // namespace ukl
