// SPDX-License-Identifier: GPL-2.0-only
#include "elf_file.hpp"
#include "support/mapped_file.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <gelf.h>
#include <memory>
#include <optional>

namespace ukl {
namespace {

using View = std::span<const std::uint8_t>;

Error damaged(const std::string& name, const std::string& what) {
  return {Failure::not_elf, fmt::format("{} is a damaged or truncated ELF file: {}", name, what),
          "build or copy the file again, and compare its size with the original's"};
}

std::string machine_name(unsigned machine) {
  switch (machine) {
  case EM_386:
    return "32-bit x86";
  case EM_AARCH64:
    return "64-bit Arm";
  case EM_ARM:
    return "32-bit Arm";
  case EM_RISCV:
    return "RISC-V";
  case EM_PPC64:
    return "64-bit PowerPC";
  case EM_S390:
    return "IBM Z";
  default:
    return fmt::format("machine number {}", machine);
  }
}

// What stands in e_ident and e_machine, which lie at the same places in all ELF files.
Result<void> check_architecture(View bytes, const std::string& name) {
  if (!begins_as_elf(bytes))
    return Error{Failure::not_elf, fmt::format("{} is not an ELF file", name),
                 "give a program: an executable file made by a compiler, or a script that begins with #!"};
  if (bytes.size() < sizeof(Elf32_Ehdr))
    return damaged(name, "the header is cut off");
  const unsigned machine = bytes[18] | bytes[19] << 8;
  if (bytes[EI_CLASS] == ELFCLASS32)
    return Error{Failure::wrong_architecture,
                 fmt::format("{} is a 32-bit ELF file ({})", name, machine_name(machine)),
                 "ukl needs a 64-bit x86-64 program: compile it without -m32, or install its amd64 package"};
  if (bytes[EI_CLASS] != ELFCLASS64)
    return damaged(name, fmt::format("unknown class {}", bytes[EI_CLASS]));
  if (bytes[EI_DATA] != ELFDATA2LSB || machine != EM_X86_64)
    return Error{Failure::wrong_architecture,
                 fmt::format("{} is made for another machine ({}), not for x86-64", name,
                             bytes[EI_DATA] == ELFDATA2LSB ? machine_name(machine) : "big-endian"),
                 "compile it for x86-64, or install its amd64 package"};
  if (bytes.size() < sizeof(Elf64_Ehdr))
    return damaged(name, "the header is cut off");
  return {};
}

// The bytes of a string that must end before the view does.
std::optional<std::string> string_at(View bytes, std::uint64_t offset) {
  if (offset >= bytes.size())
    return std::nullopt;
  const auto rest = bytes.subspan(offset);
  const auto end = std::ranges::find(rest, 0);
  if (end == rest.end())
    return std::nullopt;
  return std::string(rest.begin(), end);
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

// True if [offset, offset + size) lies in the bytes, whatever the two numbers are.
bool within(View bytes, std::uint64_t offset, std::uint64_t size) {
  return offset <= bytes.size() && size <= bytes.size() - offset;
}

// The file's bytes from a virtual address to the end of its segment's part of the file.
View at_address(View bytes, const std::vector<GElf_Phdr>& segments, std::uint64_t address) {
  for (const auto& segment : segments) {
    if (segment.p_type != PT_LOAD || address < segment.p_vaddr)
      continue;
    const auto inside = address - segment.p_vaddr;
    if (inside < segment.p_filesz)
      return bytes.subspan(segment.p_offset + inside, segment.p_filesz - inside);
  }
  return {};
}

Result<void> read_dynamic(View bytes, const std::vector<GElf_Phdr>& segments, const GElf_Phdr& dynamic,
                          const std::string& name, ElfFile& file) {
  std::vector<Elf64_Dyn> entries(dynamic.p_filesz / sizeof(Elf64_Dyn));
  if (!entries.empty())
    std::memcpy(entries.data(), &bytes[dynamic.p_offset], entries.size() * sizeof(Elf64_Dyn));
  entries.erase(std::ranges::find(entries, DT_NULL, &Elf64_Dyn::d_tag), entries.end());

  const auto table = std::ranges::find(entries, DT_STRTAB, &Elf64_Dyn::d_tag);
  const View strings = table == entries.end() ? View() : at_address(bytes, segments, table->d_un.d_ptr);
  for (const auto& entry : entries) {
    const auto tag = entry.d_tag;
    if (tag != DT_NEEDED && tag != DT_SONAME && tag != DT_RPATH && tag != DT_RUNPATH)
      continue;
    const auto text = string_at(strings, entry.d_un.d_val);
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

Result<std::vector<GElf_Phdr>> read_segments(Elf* elf, View bytes, const std::string& name) {
  std::size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0)
    return damaged(name, elf_errmsg(-1));
  std::vector<GElf_Phdr> segments(std::min<std::size_t>(count, bytes.size() / sizeof(Elf64_Phdr)));
  for (std::size_t i = 0; i < segments.size(); ++i) {
    auto& segment = segments[i];
    if (!gelf_getphdr(elf, static_cast<int>(i), &segment))
      return damaged(name, elf_errmsg(-1));
    const bool read_from_file =
        segment.p_type == PT_LOAD || segment.p_type == PT_INTERP || segment.p_type == PT_DYNAMIC;
    if (read_from_file && !within(bytes, segment.p_offset, segment.p_filesz))
      return damaged(name, fmt::format("segment {} ends behind the file's {} bytes", i, bytes.size()));
  }
  return segments;
}

} // namespace

bool begins_as_elf(View bytes) {
  return bytes.size() >= SELFMAG && std::memcmp(bytes.data(), ELFMAG, SELFMAG) == 0;
}

Result<ElfFile> parse_elf(View bytes, const std::string& name) {
  if (auto checked = check_architecture(bytes, name); !checked)
    return checked.error();
  elf_version(EV_CURRENT);
  // libelf takes a pointer to non-const, but only a file opened for writing is ever written to.
  auto* image = reinterpret_cast<char*>(const_cast<std::uint8_t*>(bytes.data()));
  std::unique_ptr<Elf, int (*)(Elf*)> elf(elf_memory(image, bytes.size()), elf_end);
  GElf_Ehdr header;
  if (!elf || elf_kind(elf.get()) != ELF_K_ELF || !gelf_getehdr(elf.get(), &header))
    return damaged(name, elf_errmsg(-1));
  if (header.e_type == ET_REL)
    return Error{Failure::not_elf, fmt::format("{} is an object file, not a linked program", name),
                 "link it first: ukl build FILE.o -o PROGRAM.ukl"};
  if (header.e_type != ET_EXEC && header.e_type != ET_DYN)
    return Error{Failure::not_elf,
                 fmt::format("{} is an ELF file, but no program (type {})", name, header.e_type),
                 "give an executable file"};

  auto segments = read_segments(elf.get(), bytes, name);
  if (!segments)
    return segments.error();
  ElfFile file;
  file.kind = header.e_type == ET_EXEC ? ElfFile::Kind::executable : ElfFile::Kind::shared;
  file.entry = header.e_entry;
  bool loads = false;
  for (const auto& segment : *segments) {
    loads |= segment.p_type == PT_LOAD;
    if (segment.p_type == PT_INTERP) {
      const auto text = string_at(bytes.subspan(segment.p_offset, segment.p_filesz), 0);
      if (!text || text->empty())
        return damaged(name, "the name of its interpreter is not readable");
      file.interpreter = *text;
    }
    if (segment.p_type == PT_DYNAMIC)
      if (auto read = read_dynamic(bytes, *segments, segment, name, file); !read)
        return read.error();
  }
  if (!loads)
    return damaged(name, "it has no segment to load");
  return file;
}

Result<ElfFile> read_elf(const std::filesystem::path& path) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.error();
  return parse_elf(file->bytes(), path.string());
}

} // namespace ukl
