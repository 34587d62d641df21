// SPDX-License-Identifier: GPL-2.0-only
#include "payload.hpp"
#include "elf_file.hpp"
#include "support/interrupt.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <fmt/format.h>
#include <memory>
#include <sys/stat.h>

namespace ukl {
namespace {

la_ssize_t collect(archive*, void* bytes, const void* buffer, std::size_t size) {
  auto* out = static_cast<Bytes*>(bytes);
  const auto* start = static_cast<const std::uint8_t*>(buffer);
  out->insert(out->end(), start, start + size);
  return static_cast<la_ssize_t>(size);
}

Error archive_error(archive* writer, const std::string& path) {
  const char* text = archive_error_string(writer);
  return {Failure::internal, fmt::format("cannot pack {}: {}", path, text ? text : "unknown error"), ""};
}

// The contents of a file entry, after the hook.
Result<Bytes> contents_of(const std::string& path, const TreeEntry& entry, const ElfHook& elf_hook) {
  Bytes contents = entry.contents;
  if (!entry.host_path.empty()) {
    auto read = read_file(entry.host_path);
    if (!read)
      return read.error();
    contents = std::move(*read);
  }
  if (elf_hook && begins_as_elf(contents))
    if (auto changed = elf_hook(path, contents); !changed)
      return changed.error();
  // The archive has 8 hexadecimal digits for a size.
  if (contents.size() > UINT32_MAX)
    return Error{Failure::usage, fmt::format("{} is too large for an image: {} bytes", path, contents.size()),
                 "put it on a volume (ukl run --volume)"};
  return contents;
}

void describe(archive_entry* out, const std::string& path, const TreeEntry& entry, std::size_t size) {
  // Without the slash at its start, as `find | cpio` gives it.
  archive_entry_set_pathname(out, path.c_str() + 1);
  archive_entry_set_perm(out, static_cast<mode_t>(entry.mode));
  archive_entry_set_mtime(out, 0, 0);
  archive_entry_set_uid(out, 0);
  archive_entry_set_gid(out, 0);
  archive_entry_set_nlink(out, 1);
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

} // namespace

Result<Bytes> make_payload(const RootTree& tree, const ElfHook& elf_hook, bool compress) {
  Bytes payload;
  std::unique_ptr<archive, int (*)(archive*)> writer(archive_write_new(), archive_write_free);
  archive_write_set_format_cpio_newc(writer.get());
  archive_write_set_bytes_per_block(writer.get(), 0);
  if (compress && archive_write_add_filter_zstd(writer.get()) != ARCHIVE_OK)
    return archive_error(writer.get(), "the root tree with zstd");
  if (archive_write_open(writer.get(), &payload, nullptr, collect, nullptr) != ARCHIVE_OK)
    return archive_error(writer.get(), "the root tree");
  std::unique_ptr<archive_entry, void (*)(archive_entry*)> header(archive_entry_new(), archive_entry_free);
  for (const auto& [path, entry] : tree.entries()) {
    if (interrupted())
      return Error{Failure::interrupted, "interrupted while packing; nothing was left behind", ""};
    Bytes contents;
    if (entry.type == TreeEntry::Type::file) {
      auto read = contents_of(path, entry, elf_hook);
      if (!read)
        return read.error();
      contents = std::move(*read);
    }
    archive_entry_clear(header.get());
    describe(header.get(), path, entry, contents.size());
    // A name that is not UTF-8 is written as it is, with a warning.
    if (archive_write_header(writer.get(), header.get()) < ARCHIVE_WARN ||
        archive_write_data(writer.get(), contents.data(), contents.size()) !=
            static_cast<la_ssize_t>(contents.size()))
      return archive_error(writer.get(), path);
  }
  if (archive_write_close(writer.get()) != ARCHIVE_OK)
    return archive_error(writer.get(), "the root tree");
  return payload;
}

} // namespace ukl
