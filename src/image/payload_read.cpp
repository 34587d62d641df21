// SPDX-License-Identifier: GPL-2.0-only
#include "image/payload_read.hpp"
#include "support/align.hpp"
#include "ukl/image.h"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

namespace ukl {
namespace {

constexpr std::uint64_t kStep = 1 << 20;

Error damaged(const std::string& name, archive* reader) {
  const char* text = archive_error_string(reader);
  return {Failure::not_an_image,
          fmt::format("the payload of {} is damaged: {}", name, text ? text : "it ends too early"),
          "make the image again with: ukl pack PROGRAM"};
}

char type_of(const archive_entry* entry) {
  switch (archive_entry_filetype(const_cast<archive_entry*>(entry))) {
  case AE_IFDIR:
    return 'd';
  case AE_IFLNK:
    return 'l';
  case AE_IFCHR:
    return 'c';
  case AE_IFBLK:
    return 'b';
  case AE_IFIFO:
    return 'p';
  case AE_IFSOCK:
    return 's';
  default:
    return '-';
  }
}

std::string text_or_empty(const char* text) {
  return text ? text : "";
}

Error outside(const std::string& name) {
  return {Failure::not_an_image,
          fmt::format("the payload of {} is damaged: it says that files lie outside of it", name),
          "make the image again with: ukl pack PROGRAM"};
}

Result<Bytes> read_at(int file, const std::filesystem::path& image, std::uint64_t offset,
                      std::uint64_t size) {
  Bytes bytes(size);
  for (std::size_t filled = 0; filled < bytes.size();) {
    const auto got = pread(file, &bytes[filled], bytes.size() - filled, static_cast<off_t>(offset + filled));
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      return file_error(image, "read", got == 0 ? EIO : errno);
    filled += static_cast<std::size_t>(got);
  }
  return bytes;
}

} // namespace

Result<std::map<std::string, FileInPlace>> files_in_place(const std::filesystem::path& image,
                                                          const ImageInfo& info) {
  std::map<std::string, FileInPlace> files;
  if (info.in_place == 0)
    return files;
  const FileDescriptor file(open(image.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file)
    return file_error(image, "read", errno);
  const auto skipped = align_up(info.archive_size, kPage);
  if (skipped > info.payload_size || info.in_place > (info.payload_size - skipped) / sizeof(ukl_image_file))
    return outside(image.string());
  const auto start = info.payload_offset + skipped, size = info.payload_size - skipped;
  // The names end where the first file begins.
  ukl_image_file first = {};
  TRY_LET(const auto head, read_at(file.get(), image, start, sizeof first));
  std::memcpy(&first, head.data(), sizeof first);
  const auto table_size = first.page * kPage;
  if (table_size > size || table_size < info.in_place * sizeof first)
    return outside(image.string());
  TRY_LET(const auto table, read_at(file.get(), image, start, table_size));
  for (std::uint64_t i = 0; i < info.in_place; ++i) {
    ukl_image_file record = {};
    std::memcpy(&record, &table[i * sizeof record], sizeof record);
    const auto at = record.page * kPage;
    if (at > size || record.size > size - at || record.name >= table_size)
      return outside(image.string());
    const auto* name = reinterpret_cast<const char*>(&table[record.name]);
    files[std::string(name, strnlen(name, table_size - record.name))] = {start + at, record.size};
  }
  return files;
}

Result<void>
read_payload(const std::filesystem::path& image, const ImageInfo& info,
             const std::function<Result<void>(const PayloadEntry&, const ReadContents&)>& visit) {
  TRY_LET(const auto in_place, files_in_place(image, info));
  FileDescriptor file(open(image.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file || lseek(file.get(), static_cast<off_t>(info.payload_offset), SEEK_SET) < 0)
    return file_error(image, "read", errno);
  std::unique_ptr<archive, int (*)(archive*)> reader(archive_read_new(), archive_read_free);
  archive_read_support_format_cpio(reader.get());
  archive_read_support_filter_zstd(reader.get());
  if (archive_read_open_fd(reader.get(), file.get(), 1 << 16) != ARCHIVE_OK)
    return damaged(image.string(), reader.get());
  archive_entry* header = nullptr;
  for (int status; (status = archive_read_next_header(reader.get(), &header)) != ARCHIVE_EOF;) {
    if (status < ARCHIVE_WARN)
      return damaged(image.string(), reader.get());
    PayloadEntry entry;
    entry.path = fmt::format("/{}", text_or_empty(archive_entry_pathname(header)));
    entry.type = type_of(header);
    entry.mode = static_cast<unsigned>(archive_entry_perm(header));
    entry.size = entry.type == '-' ? static_cast<std::uint64_t>(archive_entry_size(header)) : 0;
    entry.owner = static_cast<unsigned>(archive_entry_uid(header));
    entry.group = static_cast<unsigned>(archive_entry_gid(header));
    entry.time = archive_entry_mtime(header);
    entry.target = text_or_empty(archive_entry_symlink(header));
    if (const char* first = archive_entry_hardlink(header))
      entry.same_as = fmt::format("/{}", first);
    const auto behind = entry.type == '-' ? in_place.find(entry.path) : in_place.end();
    if (behind != in_place.end())
      entry.size = behind->second.size;
    // In steps, because a damaged header may name any size.
    const auto contents = [&]() -> Result<Bytes> {
      if (behind != in_place.end())
        return read_at(file.get(), image, behind->second.offset, entry.size);
      Bytes bytes;
      while (bytes.size() < entry.size) {
        const auto filled = bytes.size();
        bytes.resize(std::min<std::uint64_t>(entry.size, filled + kStep));
        const auto got = archive_read_data(reader.get(), &bytes[filled], bytes.size() - filled);
        if (got <= 0)
          return damaged(image.string(), reader.get());
        bytes.resize(filled + static_cast<std::size_t>(got));
      }
      return bytes;
    };
    TRY(visit(entry, contents));
  }
  return {};
}

} // namespace ukl
