// SPDX-License-Identifier: GPL-2.0-only
#include "machine/volumes.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <string_view>
#include <vector>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kForm = "write --volume HOST:GUEST[:ro], for example --volume ./data:/var/lib/redis";

// The first bytes of a file; fewer if it is shorter or cannot be read.
std::string beginning_of(const fs::path& path, std::size_t size) {
  std::ifstream file(path, std::ios::binary);
  std::string bytes(size, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(size));
  bytes.resize(static_cast<std::size_t>(file.gcount()));
  return bytes;
}

// The mark of ext2, ext3 and ext4 (Linux's fs/ext4/ext4.h: EXT4_SUPER_MAGIC in the superblock at 1024 bytes).
bool holds_ext4(std::string_view beginning) {
  constexpr std::size_t mark = 1024 + 0x38;
  return beginning.size() > mark + 1 && beginning[mark] == '\x53' && beginning[mark + 1] == '\xef';
}

// A disk on which no file system has been made yet: long, and it begins with nothing.
bool is_blank_disk(std::string_view beginning) {
  return beginning.size() == 65536 && beginning.find_first_not_of('\0') == std::string_view::npos;
}

// `HOST:GUEST` or `HOST:GUEST:OPTIONS`; HOST may hold colons, GUEST may not.
struct Parts {
  std::string host, guest, options;
};

std::optional<Parts> split(const std::string& text) {
  const auto last = text.rfind(':');
  if (last == std::string::npos || last == 0)
    return std::nullopt;
  const std::string tail = text.substr(last + 1), head = text.substr(0, last);
  if (tail.starts_with('/'))
    return Parts{head, tail, ""};
  const auto before = head.rfind(':');
  if (tail.empty() || before == std::string::npos || before == 0 || head.substr(before + 1, 1) != "/")
    return std::nullopt;
  return Parts{head.substr(0, before), head.substr(before + 1), tail};
}

std::vector<std::string> options_of(const std::string& text) {
  std::vector<std::string> options;
  for (std::size_t start = 0; start < text.size();) {
    const auto comma = std::min(text.find(',', start), text.size());
    options.push_back(text.substr(start, comma - start));
    start = comma + 1;
  }
  return options;
}

// What the volume is without being told.
Result<VolumeKind> kind_of(const fs::path& host) {
  const auto beginning = beginning_of(host, 65536);
  if (holds_ext4(beginning))
    return VolumeKind::disk;
  if (is_blank_disk(beginning))
    return Error{
        Failure::usage,
        fmt::format("cannot attach the volume {}: it is a disk without a file system", host.string()),
        fmt::format("make one: mkfs.ext4 {} (or say that it is no disk: --volume HOST:GUEST:file)",
                    host.string())};
  return VolumeKind::file;
}

} // namespace

Result<Volume> parse_volume(const std::string& text) {
  const auto parts = split(text);
  if (!parts)
    return Error{
        Failure::usage,
        fmt::format("cannot attach the volume '{}': it needs a host path and an absolute guest path", text),
        kForm};
  const auto refuse = [&](const std::string& why, const std::string& hint) {
    return Error{Failure::usage, fmt::format("cannot attach the volume {}: {}", parts->host, why), hint};
  };

  Volume volume;
  volume.guest = parts->guest;
  bool disk = false, file = false;
  for (const auto& option : options_of(parts->options)) {
    if (option == "ro")
      volume.read_only = true;
    else if (option == "shared")
      volume.shared = true;
    else if (option == "virtiofs")
      volume.transport = Transport::virtiofs;
    else if (option == "9p")
      volume.transport = Transport::ninep;
    else if (option == "disk")
      disk = true;
    else if (option == "file")
      file = true;
    else if (option != "rw")
      return refuse(fmt::format("'{}' is no option of a volume", option),
                    "the options are ro, rw, shared, virtiofs, 9p, disk and file, with commas between them");
  }

  if (volume.shared && volume.transport == Transport::ninep)
    return refuse("over 9p it cannot be shared: every machine would be granted every lock", "leave out 9p");

  std::error_code error;
  volume.host = fs::canonical(parts->host, error);
  if (error)
    return Error{
        Failure::not_found,
        error == std::errc::no_such_file_or_directory
            ? fmt::format("cannot attach the volume {}: there is no such folder or file", parts->host)
            : fmt::format("cannot attach the volume {}: {}", parts->host, error.message()),
        error == std::errc::no_such_file_or_directory ? fmt::format("make it first: mkdir -p {}", parts->host)
                                                      : ""};
  const auto status = fs::status(volume.host, error);
  if (fs::is_directory(status)) {
    if (disk || file)
      return refuse("it is a folder", "leave out disk and file");
    return volume;
  }
  if (!fs::is_regular_file(status) && !fs::is_block_file(status))
    return refuse("it is neither a folder nor a file nor a disk", "");
  if (file && fs::is_block_file(status))
    return refuse("it is a disk", "leave out file");
  if (file) {
    volume.kind = VolumeKind::file;
  } else if (disk) {
    volume.kind = VolumeKind::disk;
  } else {
    auto kind = kind_of(volume.host);
    if (!kind)
      return kind.error();
    volume.kind = *kind;
  }
  const bool has_ext4 = volume.kind != VolumeKind::disk || holds_ext4(beginning_of(volume.host, 4096));
  if (!has_ext4 || (volume.kind == VolumeKind::file && fs::is_block_file(status)))
    return refuse("it holds no ext4 file system",
                  "a disk has to hold ext2, ext3 or ext4, without partitions");
  if (volume.kind == VolumeKind::disk && (volume.transport != Transport::automatic || volume.shared))
    return refuse("it is a disk", "virtiofs, 9p and shared are for folders and files");
  if (volume.kind == VolumeKind::file && volume.transport == Transport::ninep)
    return refuse("9p shares folders only", "leave out 9p, or attach the folder that the file is in");
  return volume;
}

std::optional<Error> explain_disk_in_use(const std::string& errors) {
  constexpr std::string_view sign = "Is another process using the image [";
  const auto start = errors.find(sign);
  if (start == std::string::npos || errors.find("lock") == std::string::npos)
    return std::nullopt;
  const auto end = errors.find("]?", start);
  const auto path =
      errors.substr(start + sign.size(), end == std::string::npos ? end : end - start - sign.size());
  return Error{
      Failure::volume_in_use, fmt::format("the disk {} is in use by another machine", path),
      "wait for the other one's end; a disk that no machine changes may be attached to several (:ro)"};
}

} // namespace ukl
