// SPDX-License-Identifier: GPL-2.0-only
#include "image/plain_archive.hpp"
#include "image/payload_read.hpp"
#include "support/align.hpp"
#include "support/mapped_file.hpp"

#include <cerrno>
#include <charconv>
#include <fmt/format.h>

namespace ukl {
namespace {

using View = std::span<const std::uint8_t>;

// "newc" (Documentation/driver-api/early-userspace/buffer-format.rst): a magic word and thirteen numbers of
// eight digits; the name with its end, filled up to four bytes; the contents, likewise.
constexpr std::size_t kHeader = 110, kSizeAt = 54, kNameSizeAt = 94, kDigits = 8;

std::optional<std::uint64_t> number_at(View header, std::size_t at) {
  const auto* digits = reinterpret_cast<const char*>(&header[at]);
  std::uint64_t number = 0;
  if (std::from_chars(digits, digits + kDigits, number, 16).ptr != digits + kDigits)
    return std::nullopt;
  return number;
}

constexpr std::uint64_t fill(std::uint64_t size) {
  return align_up(size, 4);
}

void add(Bytes& bytes, View more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
  bytes.resize(fill(bytes.size()));
}

} // namespace

Result<Bytes> plain_archive(const std::filesystem::path& image, const ImageInfo& info) {
  TRY_LET(const auto mapped, MappedFile::open(image));
  const View all = mapped.bytes();
  if (info.payload_offset > all.size() || info.archive_size > all.size() - info.payload_offset)
    return file_error(image, "read", EIO);
  View archive = all.subspan(info.payload_offset, info.archive_size);
  TRY_LET(const auto in_place, files_in_place(image, info));
  Bytes plain;
  plain.reserve(info.payload_size);
  if (in_place.empty()) {
    plain.assign(archive.begin(), archive.end());
    return plain;
  }
  while (archive.size() >= kHeader) {
    const auto size = number_at(archive, kSizeAt), name_size = number_at(archive, kNameSizeAt);
    if (!size || !name_size || *name_size == 0 || fill(kHeader + *name_size) + *size > archive.size())
      return Error{Failure::not_an_image, fmt::format("the payload of {} is damaged", image.string()),
                   "make the image again with: ukl pack PROGRAM"};
    const auto contents_at = fill(kHeader + *name_size);
    const std::string name(reinterpret_cast<const char*>(&archive[kHeader]), *name_size - 1);
    const auto behind = in_place.find("/" + name);
    Bytes header(archive.begin(), archive.begin() + static_cast<std::ptrdiff_t>(kHeader + *name_size));
    View contents = archive.subspan(contents_at, *size);
    // Further names of a file are empty as well, but stand in no table.
    if (behind != in_place.end()) {
      contents = all.subspan(behind->second.offset, behind->second.size);
      fmt::format_to(header.begin() + kSizeAt, "{:08x}", contents.size());
    }
    add(plain, header);
    add(plain, contents);
    archive = archive.subspan(std::min<std::size_t>(archive.size(), fill(contents_at + *size)));
    if (name == "TRAILER!!!")
      break;
  }
  return plain;
}

} // namespace ukl
