// SPDX-License-Identifier: GPL-2.0-only
#include "payload_read.hpp"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <memory>
#include <unistd.h>

namespace ukl {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kStep = 1 << 20;
// What Linux takes besides its own segments before it unpacks: page tables, per-CPU areas, driver memory.
// Measured with profile general; it needs 6 MiB.
constexpr std::uint64_t kKernelNeeds = 8 << 20;

Error damaged(const std::string& name, archive* reader) {
  const char* text = archive_error_string(reader);
  return {Failure::not_an_image,
          fmt::format("the payload of {} is damaged: {}", name, text ? text : "unknown error"),
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

} // namespace

Result<void>
read_payload(const std::filesystem::path& image, const ImageInfo& info,
             const std::function<Result<void>(const PayloadEntry&, const ReadContents&)>& visit) {
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
    entry.target = text_or_empty(archive_entry_symlink(header));
    // In steps, because a damaged header may name any size.
    const auto contents = [&]() -> Result<Bytes> {
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
    if (auto visited = visit(entry, contents); !visited)
      return visited;
  }
  return {};
}

Result<std::uint64_t> unpacked_size(const std::filesystem::path& image, const ImageInfo& info) {
  std::uint64_t size = 0;
  auto read = read_payload(image, info, [&](const PayloadEntry& entry, const ReadContents&) {
    size += (entry.size + kPage - 1) / kPage * kPage;
    return Result<void>();
  });
  if (!read)
    return read.error();
  return size;
}

std::uint64_t memory_needed(const ImageInfo& info, std::uint64_t unpacked) {
  const auto while_unpacking = info.kernel_size + info.payload_size + kKernelNeeds + 2 * unpacked;
  // One 64-byte struct page for each page.
  return std::max(info.memory_end, while_unpacking / 63 * 64);
}

} // namespace ukl
