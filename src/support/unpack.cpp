// SPDX-License-Identifier: GPL-2.0-only
#include "support/unpack.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <cerrno>
#include <fmt/format.h>
#include <memory>

namespace ukl {
namespace {

namespace fs = std::filesystem;

using Reader = std::unique_ptr<archive, decltype(&archive_read_free)>;
using Writer = std::unique_ptr<archive, decltype(&archive_write_free)>;

// libarchive gives its own numbers, not errno's, for what is wrong with the archive itself.
Error read_error(const fs::path& path, archive* reader) {
  const char* reason = archive_error_string(reader);
  return {Failure::unreadable,
          fmt::format("cannot unpack {}: {}", path.string(), reason ? reason : "it ends too early"),
          "the archive may be damaged: install its package again"};
}

// archive_write_disk calls a full disk a warning, so that every one counts as an error.
Error write_error(const fs::path& path, archive* writer) {
  // Its numbers of its own are negative, and it may give none.
  if (archive_errno(writer) > 0)
    return file_error(path, "write", archive_errno(writer));
  const char* reason = archive_error_string(writer);
  return {Failure::unwritable,
          fmt::format("cannot write {}{}{}", path.string(), reason ? ": " : "", reason ? reason : ""),
          "check the file's type and permissions (ls -l)"};
}

// The path without its first component; empty for that component itself.
std::string below_first(const std::string& path) {
  const auto slash = path.find('/');
  return slash == std::string::npos ? std::string() : path.substr(slash + 1);
}

Result<void> copy_data(const fs::path& path, const fs::path& target, archive* reader, archive* writer) {
  while (true) {
    const void* block = nullptr;
    std::size_t size = 0;
    la_int64_t offset = 0;
    const int status = archive_read_data_block(reader, &block, &size, &offset);
    if (status == ARCHIVE_EOF)
      return {};
    if (status < ARCHIVE_WARN)
      return read_error(path, reader);
    if (archive_write_data_block(writer, block, size, offset) < ARCHIVE_OK)
      return write_error(target, writer);
  }
}

Result<void> unpack_into(const fs::path& path, const fs::path& folder, const std::string& label,
                         Reporter& reporter) {
  std::error_code failure;
  const auto total = fs::file_size(path, failure);
  if (failure)
    return file_error(path, "read", failure.value());

  Reader reader(archive_read_new(), archive_read_free);
  archive_read_support_filter_all(reader.get());
  archive_read_support_format_tar(reader.get());
  if (archive_read_open_filename(reader.get(), path.c_str(), 1 << 20) != ARCHIVE_OK)
    return read_error(path, reader.get());
  Writer writer(archive_write_disk_new(), archive_write_free);
  // No SECURE_NOABSOLUTEPATHS: the paths we hand over are absolute, because we put `folder` before them.
  archive_write_disk_set_options(writer.get(), ARCHIVE_EXTRACT_TIME | ARCHIVE_EXTRACT_PERM |
                                                   ARCHIVE_EXTRACT_SECURE_NODOTDOT |
                                                   ARCHIVE_EXTRACT_SECURE_SYMLINKS);

  const auto progress = reporter.progress(label, total);
  archive_entry* entry = nullptr;
  while (true) {
    if (interrupted())
      return Error{Failure::interrupted, fmt::format("interrupted: {}", label), ""};
    const int status = archive_read_next_header(reader.get(), &entry);
    if (status == ARCHIVE_EOF)
      break;
    if (status < ARCHIVE_WARN)
      return read_error(path, reader.get());
    const std::string name = below_first(archive_entry_pathname(entry));
    if (name.empty())
      continue;
    const fs::path target = folder / name;
    archive_entry_set_pathname(entry, target.c_str());
    if (const char* link = archive_entry_hardlink(entry))
      archive_entry_set_hardlink(entry, (folder / below_first(link)).c_str());
    if (archive_write_header(writer.get(), entry) < ARCHIVE_OK)
      return write_error(target, writer.get());
    TRY(copy_data(path, target, reader.get(), writer.get()));
    if (archive_write_finish_entry(writer.get()) < ARCHIVE_OK)
      return write_error(target, writer.get());
    progress->update(static_cast<std::uint64_t>(archive_filter_bytes(reader.get(), -1)), name);
  }
  if (archive_write_close(writer.get()) < ARCHIVE_OK)
    return write_error(folder, writer.get());
  progress->update(total);
  return {};
}

} // namespace

Result<void> unpack_archive(const fs::path& path, const fs::path& folder, const std::string& label,
                            Reporter& reporter) {
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure)
    return file_error(folder, "create", failure.value());
  // Symbolic links on the way to the folder are the user's business; only those inside the archive are not to
  // be followed (SECURE_SYMLINKS).
  const auto real = fs::canonical(folder, failure);
  if (failure)
    return file_error(folder, "create", failure.value());
  auto unpacked = unpack_into(path, real, label, reporter);
  if (!unpacked)
    fs::remove_all(folder, failure);
  return unpacked;
}

} // namespace ukl
