// SPDX-License-Identifier: GPL-2.0-only
#include "sources/package_archive.hpp"

#include <archive_entry.h>
#include <fmt/format.h>
#include <sstream>

namespace ukl {
namespace {

constexpr std::size_t kLargestScript = 4 << 20; ///< bytes

// Which members of control.tar are kept, under the same names.
constexpr std::string_view kKept[] = {"control", "preinst", "postinst"};

Result<void> keep_control(LayerWriter& writer, ByteStream& stream, const std::string& name) {
  TRY_LET(auto reader, open_archive(stream, ArchiveKind::tar, name));
  archive_entry* header = nullptr;
  while (true) {
    const int status = archive_read_next_header(reader.get(), &header);
    if (status == ARCHIVE_EOF)
      return {};
    if (status < ARCHIVE_WARN)
      return damaged_archive(name, reader.get());
    const char* path = archive_entry_pathname(header);
    TRY_LET(const auto place, root_path(path ? path : "", name));
    const auto* kept = std::find(std::begin(kKept), std::end(kKept), place.empty() ? place : place.substr(1));
    if (kept == std::end(kKept) || archive_entry_filetype(header) != AE_IFREG)
      continue;
    std::string text;
    const auto bytes = stream_entry(reader.get(), name);
    while (true) {
      TRY_LET(const auto block, bytes->next());
      if (block.empty())
        break;
      text.append(reinterpret_cast<const char*>(block.data()), block.size());
      if (text.size() > kLargestScript)
        return Error{Failure::unreadable, fmt::format("{} has a {} of many megabytes", name, *kept),
                     "it may be damaged: fetch it again"};
    }
    TRY(writer.keep(std::string(*kept), text));
  }
}

Result<void> unpack_members(LayerWriter& writer, ByteStream& stream, const std::string& name) {
  TRY_LET(auto reader, open_archive(stream, ArchiveKind::ar, name));
  archive_entry* header = nullptr;
  bool files = false;
  while (true) {
    const int status = archive_read_next_header(reader.get(), &header);
    if (status == ARCHIVE_EOF)
      break;
    if (status < ARCHIVE_WARN)
      return damaged_archive(name, reader.get());
    const char* given = archive_entry_pathname(header);
    const std::string member = given ? given : "";
    const auto bytes = stream_entry(reader.get(), name);
    if (member.starts_with("control.tar"))
      TRY(keep_control(writer, *bytes, name));
    if (member.starts_with("data.tar")) {
      TRY(writer.unpack(*bytes, name));
      files = true;
    }
  }
  if (!files)
    return Error{Failure::unreadable, fmt::format("{} is no Debian package", name), "give a .deb file"};
  return {};
}

std::string package_of(const std::string& control) {
  std::istringstream lines(control);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("Package:"))
      return line.substr(line.find_first_not_of(' ', 8));
  return {};
}

std::string text_in(const std::filesystem::path& file) {
  auto text = read_text(file);
  return text ? *text : std::string();
}

} // namespace

Result<PackageArchive> store_package(const std::string& sha256, const std::filesystem::path& file,
                                     const std::string& name, Reporter& reporter) {
  PackageArchive package;
  TRY_LET(package.layer, store_layer(
                             sha256, name,
                             [&](LayerWriter& writer) -> Result<std::string> {
                               TRY_LET(const auto stream, stream_file(file));
                               return unpack_hashed(*stream, sha256, [&](ByteStream& hashed) {
                                 return unpack_members(writer, hashed, name);
                               });
                             },
                             reporter));
  package.control = text_in(package.layer.folder / "control");
  package.name = package_of(package.control);
  package.before = text_in(package.layer.folder / "preinst");
  package.after = text_in(package.layer.folder / "postinst");
  if (package.name.empty())
    return Error{Failure::unreadable, fmt::format("{} does not say which package it is", name),
                 "it may be damaged: fetch it again"};
  return package;
}

} // namespace ukl
