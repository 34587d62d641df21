// SPDX-License-Identifier: GPL-2.0-only
#include "sources/layer_store.hpp"
#include "contents/file_capability.hpp"
#include "kernel/cache.hpp"
#include "support/file_lock.hpp"
#include "support/interrupt.hpp"
#include "support/places.hpp"

#include <algorithm>
#include <archive_entry.h>
#include <cerrno>
#include <climits>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// More than any image can hold, and little enough to stop what only wants to fill the disk.
constexpr std::uint64_t kMostBytes = std::uint64_t{16} << 30;
constexpr std::uint64_t kMostEntries = 2'000'000;

fs::path layers_folder() {
  return cache_folder() / "layers";
}

std::optional<Layer> cached_layer(const fs::path& folder) {
  const auto text = read_text(folder / "index");
  auto layer = text ? decode_index(*text) : std::nullopt;
  if (!layer)
    return std::nullopt;
  layer->folder = folder;
  // A machine that lost its power may have kept the names of files and not what they held.
  for (const auto& entry : layer->entries) {
    std::error_code failure;
    if (entry.kind == LayerEntry::Kind::file &&
        (fs::file_size(layer->file(entry), failure) != entry.size || failure))
      return std::nullopt;
  }
  return layer;
}

Error too_large(const std::string& name) {
  return {Failure::usage, fmt::format("{} holds more than an image can", name),
          "an image can hold 2 GiB; put large files on a volume (ukl run --volume)"};
}

Result<void> write_at(int fd, const fs::path& path, const void* data, std::size_t size, std::int64_t offset) {
  const auto* bytes = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t put = pwrite(fd, bytes, size, offset);
    if (put < 0 && errno == EINTR)
      continue;
    if (put < 0)
      return file_error(path, "write", errno);
    bytes += put;
    size -= static_cast<std::size_t>(put);
    offset += put;
  }
  return {};
}

// The header's text; names that are no UTF-8 are given as they are.
std::string text_of(const char* plain, const char* utf8) {
  return plain ? plain : utf8 ? utf8 : "";
}

std::string capability_of(archive_entry* header) {
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  archive_entry_xattr_reset(header);
  while (archive_entry_xattr_next(header, &name, &value, &size) == ARCHIVE_OK)
    if (name && std::string_view(name) == "security.capability")
      return file_capability({static_cast<const std::uint8_t*>(value), size});
  return {};
}

// umoci insert writes archives that end with the last file's last byte. Whether that is all of it, its digest
// says.
bool is_cut(archive* reader) {
  const char* text = archive_error_string(reader);
  return text && std::string_view(text).starts_with("Truncated input file");
}

Error interrupted_in(const std::string& name) {
  return {Failure::interrupted, fmt::format("interrupted while unpacking {}; nothing was left behind", name),
          ""};
}

} // namespace

Result<void> LayerWriter::take_file(archive* reader, archive_entry* header, const std::string& name,
                                    std::uint64_t number) {
  const auto size = archive_entry_size(header);
  if (size < 0 || (bytes_ += static_cast<std::uint64_t>(size)) > kMostBytes)
    return too_large(name);
  const auto path = layer_.folder / std::to_string(number);
  FileDescriptor fd(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!fd)
    return file_error(path, "write", errno);
  std::int64_t end = 0;
  while (true) {
    if (interrupted())
      return interrupted_in(name);
    const void* block = nullptr;
    std::size_t length = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(reader, &block, &length, &offset);
    if (status == ARCHIVE_EOF)
      break;
    // No more is missing than what fills the last block.
    cut_ = status < ARCHIVE_WARN && end == size && is_cut(reader);
    if (cut_)
      break;
    if (status < ARCHIVE_WARN)
      return damaged_archive(name, reader);
    if (offset < 0 || offset + static_cast<la_int64_t>(length) > size)
      return damaged_archive(name, reader);
    TRY(write_at(fd.get(), path, block, length, offset));
    end = offset + static_cast<la_int64_t>(length);
  }
  // What is sparse may end with a hole.
  if (end < size && ftruncate(fd.get(), size) != 0)
    return file_error(path, "write", errno);
  return {};
}

Result<void> LayerWriter::take_entry(archive* reader, archive_entry* header, const std::string& name) {
  LayerEntry entry;
  const auto given = text_of(archive_entry_pathname(header), archive_entry_pathname_utf8(header));
  TRY_LET(entry.path, root_path(given, name));
  if (entry.path.empty())
    return {};
  if (layer_.entries.size() + layer_.left_out.size() >= kMostEntries)
    return too_large(name);
  entry.mode = archive_entry_perm(header) & 07777;
  entry.owner = static_cast<unsigned>(std::clamp<la_int64_t>(archive_entry_uid(header), 0, UINT32_MAX - 1));
  entry.group = static_cast<unsigned>(std::clamp<la_int64_t>(archive_entry_gid(header), 0, UINT32_MAX - 1));
  entry.time = archive_entry_mtime(header);
  const auto hard_link = text_of(archive_entry_hardlink(header), archive_entry_hardlink_utf8(header));
  if (!hard_link.empty()) {
    entry.kind = LayerEntry::Kind::hard_link;
    TRY_LET(entry.target, root_path(hard_link, name));
  } else if (archive_entry_filetype(header) == AE_IFDIR) {
    entry.kind = LayerEntry::Kind::folder;
  } else if (archive_entry_filetype(header) == AE_IFLNK) {
    entry.kind = LayerEntry::Kind::link;
    entry.target = text_of(archive_entry_symlink(header), archive_entry_symlink_utf8(header));
    if (entry.target.empty() || entry.target.size() >= PATH_MAX)
      return Error{Failure::unreadable, fmt::format("{} has a link that leads nowhere possible", name),
                   "nothing was unpacked; whoever made it has to correct it"};
  } else if (archive_entry_filetype(header) == AE_IFREG) {
    entry.number = files_++;
    TRY(take_file(reader, header, name, entry.number));
    entry.size = static_cast<std::uint64_t>(archive_entry_size(header));
    entry.capability = capability_of(header);
  } else {
    layer_.left_out.push_back(entry.path);
    return {};
  }
  layer_.entries.push_back(std::move(entry));
  return {};
}

Result<void> LayerWriter::unpack(ByteStream& stream, const std::string& name) {
  TRY_LET(auto reader, open_archive(stream, ArchiveKind::tar, name));
  archive_entry* header = nullptr;
  while (true) {
    if (interrupted())
      return interrupted_in(name);
    const int status = archive_read_next_header(reader.get(), &header);
    if (status == ARCHIVE_EOF)
      return {};
    if (status < ARCHIVE_WARN)
      return damaged_archive(name, reader.get());
    TRY(take_entry(reader.get(), header, name));
    if (cut_)
      return {};
  }
}

Result<void> LayerWriter::keep(const std::string& name, const std::string& text) {
  return write_text(layer_.folder / name, text);
}

Result<Layer> store_layer(const std::string& sha256, const std::string& name, const FillLayer& fill,
                          Reporter& reporter) {
  const auto folder = layers_folder() / sha256;
  if (auto layer = cached_layer(folder))
    return std::move(*layer);
  TRY_LET(const auto lock, FileLock::wait(lock_path("layer-" + sha256), name, reporter));
  if (auto layer = cached_layer(folder))
    return std::move(*layer);
  const auto fresh = layers_folder() / (sha256 + ".new");
  std::error_code failure;
  fs::remove_all(fresh, failure);
  fs::remove_all(folder, failure);
  fs::create_directories(fresh, failure);
  if (failure)
    return file_error(fresh, "create", failure.value());
  // Files that only root may read in an image are ours to read here, and nobody else's.
  fs::permissions(layers_folder(), fs::perms::owner_all, failure);
  LayerWriter writer(fresh);
  const auto finish = [&]() -> Result<void> {
    TRY_LET(const auto digest, fill(writer));
    if (digest != sha256)
      return Error{Failure::unreadable,
                   fmt::format("{} is not what it was announced as: its SHA-256 is {} and not {}", name,
                               digest, sha256),
                   "it was changed or damaged on its way: fetch it again"};
    TRY(writer.keep("index", encode_index(writer.layer())));
    std::error_code renaming;
    fs::rename(fresh, folder, renaming);
    if (renaming)
      return file_error(folder, "write", renaming.value());
    return {};
  };
  if (auto done = finish(); !done) {
    fs::remove_all(fresh, failure);
    return done.error();
  }
  auto layer = writer.layer();
  layer.folder = folder;
  return layer;
}

bool has_layer(const std::string& sha256) {
  return cached_layer(layers_folder() / sha256).has_value();
}

Result<std::string> unpack_hashed(ByteStream& stream, const std::string& sha256,
                                  const std::function<Result<void>(ByteStream&)>& unpack) {
  HashedStream hashed(stream);
  const auto unpacked = unpack(hashed);
  if (!unpacked && unpacked.error().failure != Failure::unreadable)
    return unpacked.error();
  TRY_LET(auto digest, hashed.finish());
  if (!unpacked && digest == sha256)
    return unpacked.error();
  return digest;
}

Result<std::string> sha256_of_digest(const std::string& digest, const std::string& name) {
  const auto colon = digest.find(':');
  const auto algorithm = digest.substr(0, colon);
  const auto hex = colon == std::string::npos ? std::string() : digest.substr(colon + 1);
  if (colon != std::string::npos && algorithm != "sha256")
    return Error{
        Failure::usage,
        fmt::format("{} names its parts by {}, which ukl does not know", name, algorithm.substr(0, 20)),
        "make it with sha256, as all usual tools do"};
  if (hex.size() != 64 || hex.find_first_not_of("0123456789abcdef") != std::string::npos)
    return Error{Failure::unreadable, fmt::format("{} has no digest where one is needed", name),
                 "it may be damaged: fetch it again"};
  return hex;
}

} // namespace ukl
