// SPDX-License-Identifier: GPL-2.0-only
#include "sources/byte_stream.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/evp.h>
#include <unistd.h>

namespace ukl {
namespace {

constexpr std::size_t kBlock = 1 << 18; ///< bytes read at a time

class FileStream : public ByteStream {
public:
  FileStream(FileDescriptor fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}
  Result<std::span<const std::uint8_t>> next() override {
    ssize_t got;
    do {
      got = read(fd_.get(), block_.data(), block_.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0)
      return file_error(path_, "read", errno);
    return std::span<const std::uint8_t>(block_.data(), static_cast<std::size_t>(got));
  }

private:
  FileDescriptor fd_;
  std::filesystem::path path_;
  Bytes block_ = Bytes(kBlock);
};

class EntryStream : public ByteStream {
public:
  EntryStream(archive* reader, std::string name) : reader_(reader), name_(std::move(name)) {}
  Result<std::span<const std::uint8_t>> next() override {
    const auto got = archive_read_data(reader_, block_.data(), block_.size());
    if (got < 0)
      return damaged_archive(name_, reader_);
    return std::span<const std::uint8_t>(block_.data(), static_cast<std::size_t>(got));
  }

private:
  archive* reader_;
  std::string name_;
  Bytes block_ = Bytes(kBlock);
};

la_ssize_t read_block(archive* reader, void* data, const void** block) {
  auto bytes = static_cast<ByteStream*>(data)->next();
  if (!bytes) {
    archive_set_error(reader, EIO, "%s", bytes.error().message.c_str());
    return -1;
  }
  *block = bytes->data();
  return static_cast<la_ssize_t>(bytes->size());
}

} // namespace

Result<std::unique_ptr<ByteStream>> stream_file(const std::filesystem::path& path) {
  FileDescriptor fd(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd)
    return file_error(path, "read", errno);
  return std::unique_ptr<ByteStream>(std::make_unique<FileStream>(std::move(fd), path));
}

std::unique_ptr<ByteStream> stream_entry(archive* reader, std::string name) {
  return std::make_unique<EntryStream>(reader, std::move(name));
}

HashedStream::HashedStream(ByteStream& inner) : inner_(inner), hash_(EVP_MD_CTX_new(), EVP_MD_CTX_free) {
  EVP_DigestInit_ex(hash_.get(), EVP_sha256(), nullptr);
}

HashedStream::~HashedStream() = default;

Result<std::span<const std::uint8_t>> HashedStream::next() {
  TRY_LET(const auto bytes, inner_.next());
  EVP_DigestUpdate(hash_.get(), bytes.data(), bytes.size());
  return bytes;
}

Result<std::string> HashedStream::finish() {
  while (true) {
    TRY_LET(const auto bytes, next());
    if (bytes.empty())
      break;
  }
  std::uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_DigestFinal_ex(hash_.get(), digest, &size);
  std::string text;
  for (unsigned i = 0; i < size; ++i)
    text += fmt::format("{:02x}", digest[i]);
  return text;
}

void support_filters(archive* reader) {
  archive_read_support_filter_gzip(reader);
  archive_read_support_filter_zstd(reader);
  archive_read_support_filter_xz(reader);
  archive_read_support_filter_bzip2(reader);
}

Result<ArchiveReader> open_archive(ByteStream& stream, ArchiveKind kind, const std::string& name) {
  ArchiveReader reader(archive_read_new(), archive_read_free);
  support_filters(reader.get());
  if (kind == ArchiveKind::tar)
    archive_read_support_format_tar(reader.get());
  else
    archive_read_support_format_ar(reader.get());
  if (archive_read_open(reader.get(), &stream, nullptr, read_block, nullptr) != ARCHIVE_OK)
    return damaged_archive(name, reader.get());
  return reader;
}

Error damaged_archive(const std::string& name, archive* reader) {
  const char* reason = archive_error_string(reader);
  return {Failure::unreadable,
          fmt::format("cannot unpack {}: {}", name, reason ? reason : "it ends too early"),
          "it may be damaged: fetch it again"};
}

} // namespace ukl
