// SPDX-License-Identifier: GPL-2.0-only
#include "elf/file.hpp"
#include "support/mapped_file.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl {
namespace {

using namespace rewrite;

Error damaged(const std::string& name, const std::string& what) {
  return {Failure::not_elf, fmt::format("{} is a damaged or truncated ELF file: {}", name, what),
          "build or copy the file again, and compare its size with the original's"};
}

// The bytes of a string that must end before the view does.
std::optional<std::string> whole_string(ByteView bytes, std::uint64_t offset) {
  const auto text = string_at(bytes, offset);
  if (offset >= bytes.size() || text.size() == bytes.size() - offset)
    return std::nullopt;
  return std::string(text);
}

std::vector<std::string> split_at_colons(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find(':', start), text.size());
    if (end > start)
      parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// A segment's part of the file.
Result<ByteView> bytes_of(const ElfView& elf, const Elf64_Phdr& segment, const std::string& name) {
  if (segment.p_offset > elf.bytes.size() || segment.p_filesz > elf.bytes.size() - segment.p_offset)
    return damaged(name, fmt::format("a segment ends behind the file's {} bytes", elf.bytes.size()));
  return elf.bytes.subspan(segment.p_offset, segment.p_filesz);
}

Result<void> read_dynamic(const ElfView& elf, ByteView table, const std::string& name, ElfFile& file) {
  std::vector<Elf64_Dyn> entries;
  ByteView strings;
  for (std::uint64_t at = 0; const auto entry = load<Elf64_Dyn>(table, at); at += sizeof *entry) {
    if (entry->d_tag == DT_NULL)
      break;
    if (entry->d_tag == DT_STRTAB && strings.empty())
      strings = elf.at(entry->d_un.d_ptr);
    entries.push_back(*entry);
  }
  for (const auto& entry : entries) {
    const auto tag = entry.d_tag;
    if (tag != DT_NEEDED && tag != DT_SONAME && tag != DT_RPATH && tag != DT_RUNPATH)
      continue;
    const auto text = whole_string(strings, entry.d_un.d_val);
    if (!text)
      return damaged(name, "a name in its dynamic section lies outside of the file");
    if (tag == DT_NEEDED)
      file.needed.push_back(*text);
    else if (tag == DT_SONAME)
      file.soname = *text;
    else
      (tag == DT_RPATH ? file.rpath : file.runpath) = split_at_colons(*text);
  }
  return {};
}

} // namespace

Result<ElfFile> loading_of(const ElfView& elf, const std::string& name) {
  ElfFile file;
  file.kind = elf.header.e_type == ET_EXEC ? ElfFile::Kind::executable : ElfFile::Kind::shared;
  file.entry = elf.header.e_entry;
  for (const auto& segment : elf.segments) {
    if (segment.p_type == PT_INTERP) {
      TRY_LET(const auto bytes, bytes_of(elf, segment, name));
      const auto text = whole_string(bytes, 0);
      if (!text || text->empty())
        return damaged(name, "the name of its interpreter is not readable");
      file.interpreter = *text;
    }
    if (segment.p_type == PT_DYNAMIC) {
      TRY_LET(const auto bytes, bytes_of(elf, segment, name));
      TRY(read_dynamic(elf, bytes, name, file));
    }
  }
  if (!elf.segment(PT_LOAD))
    return damaged(name, "it has no segment to load");
  return file;
}

Result<ElfFile> parse_elf(std::span<const std::uint8_t> bytes, const std::string& name) {
  TRY_LET(const auto elf, ElfView::parse(bytes, name));
  return loading_of(elf, name);
}

Result<ElfFile> read_elf(const std::filesystem::path& path) {
  TRY_LET(const auto file, MappedFile::open(path));
  return parse_elf(file.bytes(), path.string());
}

} // namespace ukl
