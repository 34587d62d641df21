// SPDX-License-Identifier: GPL-2.0-only
#include "image/payload.hpp"
#include "image/zstd.hpp"
#include "support/align.hpp"
#include "support/interrupt.hpp"
#include "ukl/image.h"
#include "ukl/manifest.hpp"

#include <algorithm>
#include <archive.h>
#include <archive_entry.h>
#include <cstring>
#include <fmt/format.h>
#include <map>
#include <memory>
#include <set>
#include <sys/stat.h>

namespace ukl {
namespace {

// Where the archive goes to.
struct Target {
  Bytes& bytes;
  std::optional<ZstdWriter> zstd;
};

la_ssize_t collect(archive*, void* target, const void* buffer, std::size_t size) {
  auto& [bytes, zstd] = *static_cast<Target*>(target);
  const auto* start = static_cast<const std::uint8_t*>(buffer);
  if (!zstd)
    bytes.insert(bytes.end(), start, start + size);
  else if (!zstd->write({start, size}, bytes))
    return -1;
  return static_cast<la_ssize_t>(size);
}

Error archive_error(archive* writer, const std::string& path) {
  const char* text = archive_error_string(writer);
  return {Failure::internal, fmt::format("cannot pack {}: {}", path, text ? text : "it is too large"), ""};
}

// What a file of the tree holds: here, or read from the host.
struct Contents {
  std::span<const std::uint8_t> bytes;
  Bytes read;
};

Result<Contents> contents_of(const std::string& path, const TreeEntry& entry) {
  Contents contents{entry.contents, {}};
  if (entry.changed) {
    contents.bytes = *entry.changed;
  } else if (!entry.host_path.empty()) {
    TRY_LET(contents.read, read_file(entry.host_path));
    contents.bytes = contents.read;
  }
  // The archive has 8 hexadecimal digits for a size.
  if (contents.bytes.size() > UINT32_MAX)
    return Error{Failure::usage,
                 fmt::format("{} is too large for an image: {} bytes", path, contents.bytes.size()),
                 "put it on a volume (ukl run --volume)"};
  return contents;
}

char type_of(const TreeEntry& entry) {
  switch (entry.type) {
  case TreeEntry::Type::folder:
    return 'd';
  case TreeEntry::Type::link:
    return 'l';
  case TreeEntry::Type::device:
    return 'c';
  case TreeEntry::Type::file:
    break;
  }
  return '-';
}

// What Linux and init need before all else: it has to be there when memory does not suffice for the rest, so
// that somebody can say so. In the order in which one lies in the other.
constexpr const char* kFirst[] = {"/init", "/.ukl", kManifestPath, "/dev", "/dev/console",
                                  "/proc", "/sys",  "/run",        "/tmp"};

using Entries = std::vector<const std::pair<const std::string, TreeEntry>*>;

Entries in_order(const RootTree& tree) {
  const auto& entries = tree.entries();
  Entries order;
  for (const auto* path : kFirst)
    if (const auto found = entries.find(path); found != entries.end())
      order.push_back(&*found);
  const std::set<std::string_view> first(std::begin(kFirst), std::end(kFirst));
  for (const auto& entry : entries)
    if (entry.first != kCompletePath && !first.contains(entry.first))
      order.push_back(&entry);
  if (const auto last = entries.find(kCompletePath); last != entries.end())
    order.push_back(&*last);
  return order;
}

// Files of the host that the tree has under several names.
class HardLinks {
public:
  explicit HardLinks(const Entries& entries) {
    for (const auto* entry : entries)
      if (has_inode(entry->second))
        ++files_[inode_of(entry->second)].names;
  }

  // Of how many names this is one; 1 for a file of its own. `number` tells the sets apart, and `first` says
  // whether the set was not met before.
  unsigned names(const TreeEntry& entry, unsigned& number, bool& first) {
    first = true;
    if (!has_inode(entry))
      return 1;
    auto& file = files_[inode_of(entry)];
    if (file.names == 1)
      return 1;
    first = file.number == 0;
    if (first)
      file.number = ++sets_;
    number = file.number;
    return file.names;
  }

  unsigned sets() const { return sets_; }

private:
  struct File {
    unsigned names = 0, number = 0;
  };
  static bool has_inode(const TreeEntry& entry) { return entry.host_device != 0 || entry.host_inode != 0; }
  static std::pair<std::uint64_t, std::uint64_t> inode_of(const TreeEntry& entry) {
    return {entry.host_device, entry.host_inode};
  }
  std::map<std::pair<std::uint64_t, std::uint64_t>, File> files_;
  unsigned sets_ = 0;
};

// About how large the archive will be, so that it need not be moved while it grows.
std::size_t expected_size(const Entries& entries, HardLinks links) {
  constexpr std::size_t kHeader = 160; ///< bytes, with a path and what fills up to four bytes
  std::size_t size = 4096;
  for (const auto* one : entries) {
    const auto& [path, entry] = *one;
    size += kHeader + path.size();
    unsigned number = 0;
    bool first = true;
    links.names(entry, number, first);
    std::error_code ignored;
    if (entry.type != TreeEntry::Type::file || !first)
      continue;
    if (entry.changed)
      size += entry.changed->size();
    else if (entry.host_path.empty())
      size += entry.contents.size();
    else if (const auto bytes = std::filesystem::file_size(entry.host_path, ignored); !ignored)
      size += bytes;
  }
  return size;
}

void describe(archive_entry* out, const std::string& path, const TreeEntry& entry, std::size_t size,
              std::int64_t newest) {
  // Without the slash at its start, as `find | cpio` gives it.
  archive_entry_set_pathname(out, path.c_str() + 1);
  archive_entry_set_perm(out, static_cast<mode_t>(entry.mode));
  archive_entry_set_mtime(out, static_cast<time_t>(std::clamp<std::int64_t>(entry.time, 0, newest)), 0);
  archive_entry_set_uid(out, entry.owner);
  archive_entry_set_gid(out, entry.group);
  archive_entry_set_size(out, static_cast<la_int64_t>(size));
  switch (entry.type) {
  case TreeEntry::Type::folder:
    archive_entry_set_filetype(out, AE_IFDIR);
    break;
  case TreeEntry::Type::file:
    archive_entry_set_filetype(out, AE_IFREG);
    break;
  case TreeEntry::Type::link:
    archive_entry_set_filetype(out, AE_IFLNK);
    archive_entry_set_symlink(out, entry.target.c_str());
    break;
  case TreeEntry::Type::device:
    archive_entry_set_filetype(out, AE_IFCHR);
    archive_entry_set_rdevmajor(out, entry.major);
    archive_entry_set_rdevminor(out, entry.minor);
    break;
  }
}

void fill_page(Bytes& bytes) {
  bytes.resize(align_up(bytes.size(), kPage));
}

// Adds them behind the archive, as asm/ukl_image.h says.
Result<void> add_in_place(const Entries& entries, Bytes& bytes) {
  fill_page(bytes);
  const auto start = bytes.size();
  std::vector<ukl_image_file> records;
  std::string names;
  for (const auto* entry : entries) {
    ukl_image_file record = {};
    record.name = static_cast<unsigned>(entries.size() * sizeof record + names.size());
    records.push_back(record);
    names += entry->first + '\0';
  }
  bytes.resize(start + records.size() * sizeof(ukl_image_file));
  bytes.insert(bytes.end(), names.begin(), names.end());
  fill_page(bytes);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (interrupted())
      return Error{Failure::interrupted, "interrupted while packing; nothing was left behind", ""};
    TRY_LET(const auto contents, contents_of(entries[i]->first, entries[i]->second));
    records[i].page = static_cast<unsigned>((bytes.size() - start) / kPage);
    records[i].size = contents.bytes.size();
    bytes.insert(bytes.end(), contents.bytes.begin(), contents.bytes.end());
    fill_page(bytes);
  }
  std::memcpy(&bytes[start], records.data(), records.size() * sizeof(ukl_image_file));
  return {};
}

} // namespace

Result<Payload> make_payload(const RootTree& tree, PayloadKind kind, std::int64_t newest) {
  Payload payload;
  std::unique_ptr<archive, int (*)(archive*)> writer(archive_write_new(), archive_write_free);
  archive_write_set_format_cpio_newc(writer.get());
  archive_write_set_bytes_per_block(writer.get(), 0);
  const auto entries = in_order(tree);
  HardLinks links(entries);
  const auto expected = expected_size(entries, links);
  Target target{payload.bytes, std::nullopt};
  if (kind == PayloadKind::compressed)
    target.zstd.emplace(expected);
  else
    payload.bytes.reserve(expected + expected / 4); // with the ends of pages
  if (archive_write_open(writer.get(), &target, nullptr, collect, nullptr) != ARCHIVE_OK)
    return archive_error(writer.get(), "the root tree");
  std::unique_ptr<archive_entry, void (*)(archive_entry*)> header(archive_entry_new(), archive_entry_free);
  Entries in_place;
  for (const auto* one : entries) {
    const auto& [path, entry] = *one;
    if (interrupted())
      return Error{Failure::interrupted, "interrupted while packing; nothing was left behind", ""};
    Contents contents;
    unsigned number = 0;
    bool first = true;
    const auto names = links.names(entry, number, first);
    // Linux makes the further names links to the first, which alone has the contents.
    if (entry.type == TreeEntry::Type::file && first) {
      TRY_LET(contents, contents_of(path, entry));
    }
    const bool behind = kind == PayloadKind::in_place && contents.bytes.size() >= kLeastInPlace;
    payload.size.add(type_of(entry),
                     entry.type == TreeEntry::Type::link ? entry.target.size() : contents.bytes.size(),
                     first);
    if (behind) {
      in_place.push_back(one);
      payload.size.in_place += pages_of(contents.bytes.size());
      contents = {};
    }
    archive_entry_clear(header.get());
    describe(header.get(), path, entry, contents.bytes.size(), newest);
    archive_entry_set_nlink(header.get(), names);
    archive_entry_set_ino(header.get(), number);
    // A name that is not UTF-8 is written as it is, with a warning.
    if (archive_write_header(writer.get(), header.get()) < ARCHIVE_WARN ||
        archive_write_data(writer.get(), contents.bytes.data(), contents.bytes.size()) !=
            static_cast<la_ssize_t>(contents.bytes.size()))
      return archive_error(writer.get(), path);
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK)
    return archive_error(writer.get(), "the root tree");
  if (target.zstd && !target.zstd->finish(payload.bytes))
    return Error{Failure::internal, "cannot compress the root tree: no memory", "leave out --compress"};
  payload.size.link_sets = links.sets();
  payload.archive_size = payload.bytes.size();
  payload.in_place = in_place.size();
  if (!in_place.empty())
    TRY(add_in_place(in_place, payload.bytes));
  return payload;
}

} // namespace ukl
