// SPDX-License-Identifier: GPL-2.0-only
#include "support/files.hpp"

#include "support/environment.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
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
  std::string name = fmt::format("{}/{}.XXXXXX", temporary_base(), prefix);
  if (!mkdtemp(name.data()))
    return file_error(name, "create", errno);
  return TemporaryFolder(name);
}

Result<TemporaryFolder> TemporaryFolder::create_beside(const fs::path& path) {
  std::string name = path.string() + ".XXXXXX";
  if (!mkdtemp(name.data()))
    return file_error(name, "create", errno);
  return TemporaryFolder(name);
}

Result<void> TemporaryFolder::become(const fs::path& path) {
  std::error_code failure;
  fs::remove_all(path, failure);
  if (!failure)
    fs::rename(path_, path, failure);
  if (failure)
    return file_error(path, "write", failure.value());
  path_.clear();
  return {};
}

TemporaryFolder::TemporaryFolder(TemporaryFolder&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  if (!path_.empty())
    fs::remove_all(path_, ignored);
}

namespace {

// What the user lets new files have. Single-threaded, as the tool is: reading it means setting it.
mode_t allowed_by_umask() {
  const mode_t mask = umask(077);
  umask(mask);
  return ~mask;
}

// The mode for the open file that is to replace `old`, which may be readable for fewer. Gives it that one's
// owner and group, if it may.
mode_t mode_for_replacing(const struct stat& old, int file, mode_t mode) {
  struct stat fresh = {};
  if (fstat(file, &fresh) != 0)
    return mode & 0700;
  mode &= old.st_mode;
  if (old.st_uid != fresh.st_uid && fchown(file, old.st_uid, old.st_gid) == 0)
    return mode;
  if (old.st_gid != fresh.st_gid && fchown(file, static_cast<uid_t>(-1), old.st_gid) != 0)
    mode &= ~static_cast<mode_t>(070);
  return mode;
}

// Linux gives up after as many (MAXSYMLINKS, include/linux/namei.h).
constexpr int kMostLinks = 40;

// Where a path's last component leads if it is a symbolic link, else the path itself; the target need not
// exist.
Result<fs::path> follow_links(const fs::path& path) {
  fs::path at = path;
  std::error_code none;
  for (int links = 0; fs::is_symlink(at, none); ++links) {
    if (links == kMostLinks)
      return file_error(path, "write", ELOOP);
    const auto target = fs::read_symlink(at, none);
    if (none)
      return file_error(path, "write", none.value());
    at = at.parent_path() / target; // an absolute target replaces what is before it
  }
  return at;
}

} // namespace

Result<AtomicFile> AtomicFile::create(const fs::path& path, unsigned mode) {
  TRY_LET(auto target, follow_links(path));
  std::error_code ignored;
  if (fs::is_directory(target, ignored))
    return file_error(path, "write", EISDIR);
  // Root may rename a file to where /dev/null is, and everybody on this machine would miss it.
  if (fs::exists(target, ignored) && !fs::is_regular_file(target, ignored))
    return Error{Failure::unwritable,
                 fmt::format("cannot write {}: it is no file, but a device or the like", path.string()),
                 "choose another output"};
  AtomicFile file;
  file.path_ = target;
  std::string name = target.string() + ".XXXXXX";
  file.fd_ = FileDescriptor(mkostemp(name.data(), O_CLOEXEC));
  if (!file.fd_)
    return file_error(path, "write", errno);
  file.temporary_ = name;
  mode_t allowed = static_cast<mode_t>(mode) & allowed_by_umask();
  struct stat old = {};
  if (stat(target.c_str(), &old) == 0)
    allowed = mode_for_replacing(old, file.fd_.get(), allowed);
  if (fchmod(file.fd_.get(), allowed) != 0)
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

namespace {

// No image holds more: QEMU sums up what it loads in an int.
constexpr std::uint64_t kMostBytes = INT_MAX;
// Nor is any text that the tool reads longer.
constexpr std::uint64_t kMostText = 64 << 20;

Error too_large(const fs::path& path, std::uint64_t size, std::uint64_t most) {
  return {Failure::unreadable,
          fmt::format("cannot read {}: it is too large ({}{:.0f} MiB, {} MiB are possible)", path.string(),
                      size > most ? "" : "more than ", static_cast<double>(size) / (1 << 20), most >> 20),
          "leave it out, or put large files on a volume (ukl run --volume)"};
}

Result<Bytes> read_at_most(const fs::path& path, std::uint64_t most) {
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd)
    return file_error(path, "read", errno);
  struct stat info = {};
  if (fstat(fd.get(), &info) != 0)
    return file_error(path, "read", errno);
  if (S_ISDIR(info.st_mode))
    return file_error(path, "read", EISDIR);
  if (static_cast<std::uint64_t>(info.st_size) > most)
    return too_large(path, static_cast<std::uint64_t>(info.st_size), most);
  Bytes bytes(static_cast<std::size_t>(info.st_size));
  std::size_t filled = 0;
  // One read more than the size asks for shows that the file has grown, or that its size was never known
  // (/proc, pipes); not into `bytes`, which would be copied to make room.
  std::array<std::uint8_t, 1 << 16> more;
  while (true) {
    const bool full = filled == bytes.size();
    const ssize_t got = full ? read(fd.get(), more.data(), more.size())
                             : read(fd.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR)
      continue;
    if (got < 0)
      return file_error(path, "read", errno);
    if (got == 0)
      break;
    if (full)
      bytes.insert(bytes.end(), more.begin(), more.begin() + got);
    filled += static_cast<std::size_t>(got);
    if (filled > most)
      return too_large(path, most, most);
  }
  bytes.resize(filled);
  return bytes;
}

} // namespace

Result<Bytes> read_file(const fs::path& path) {
  return read_at_most(path, kMostBytes);
}

Result<std::string> read_text(const fs::path& path) {
  TRY_LET(auto bytes, read_at_most(path, kMostText));
  return std::string(bytes.begin(), bytes.end());
}

Result<void> write_text(const fs::path& path, const std::string& text, unsigned mode) {
  TRY_LET(auto file, AtomicFile::create(path, mode));
  if (auto written = file.write({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}); !written)
    return written;
  return file.commit();
}

Error file_error(const fs::path& path, const std::string& doing, int error_number) {
  const bool writing = doing != "read" && doing != "start";
  Error error;
  error.message = fmt::format("cannot {} {}: {}", doing, path.string(), std::strerror(error_number));
  switch (error_number) {
  case ENOSPC:
  case EDQUOT:
  case EFBIG:
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

std::string sha256_hex(std::string_view text) {
  return sha256_hex(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

} // namespace ukl
