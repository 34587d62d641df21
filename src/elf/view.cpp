// SPDX-License-Identifier: GPL-2.0-only
#include "elf/view.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl::rewrite {
namespace {

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
Result<void> check_architecture(ByteView bytes, const std::string& name) {
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

bool within(std::uint64_t offset, std::uint64_t size, std::uint64_t limit) {
  return offset <= limit && size <= limit - offset;
}

// Sections only help (names, symbols, where exactly the code is), so a file with damaged ones counts as
// stripped.
std::vector<Section> parse_sections(ByteView bytes, const Elf64_Ehdr& header) {
  std::vector<Section> sections;
  if (header.e_shoff == 0 || header.e_shentsize != sizeof(Elf64_Shdr))
    return {};
  std::uint64_t count = header.e_shnum, names = header.e_shstrndx;
  if (const auto first = load<Elf64_Shdr>(bytes, header.e_shoff)) {
    if (count == 0)
      count = first->sh_size; // more than 65279 sections: gABI, "Section header"
    if (names == SHN_XINDEX)
      names = first->sh_link;
  }
  if (count > bytes.size() / sizeof(Elf64_Shdr))
    return {};
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto section = load<Elf64_Shdr>(bytes, header.e_shoff + i * sizeof(Elf64_Shdr));
    if (!section)
      return {};
    ByteView content;
    if (section->sh_type != SHT_NOBITS && section->sh_type != SHT_NULL) {
      if (!within(section->sh_offset, section->sh_size, bytes.size()))
        return {};
      content = bytes.subspan(section->sh_offset, section->sh_size);
    }
    sections.push_back({*section, {}, content});
  }
  if (names < sections.size())
    for (auto& section : sections)
      section.name = string_at(sections[names].bytes, section.header.sh_name);
  return sections;
}

void sort_disjoint(std::vector<Region>& regions) {
  std::sort(regions.begin(), regions.end(),
            [](const Region& a, const Region& b) { return a.address < b.address; });
  std::vector<Region> kept;
  for (const auto& region : regions)
    if (!region.bytes.empty() && (kept.empty() || kept.back().end() <= region.address))
      kept.push_back(region);
  regions = std::move(kept);
}

// Code that is changed must be nothing else as well: not the file's header, nor code at another address.
void keep_own_bytes(ByteView file, std::vector<Region>& regions) {
  std::vector<Region> kept;
  for (auto region : regions) {
    const auto offset = static_cast<std::size_t>(region.bytes.data() - file.data());
    if (offset < sizeof(Elf64_Ehdr)) {
      const auto skip = std::min(region.bytes.size(), sizeof(Elf64_Ehdr) - offset);
      region = {region.address + skip, region.bytes.subspan(skip)};
    }
    const bool shared = std::any_of(kept.begin(), kept.end(), [&](const Region& other) {
      return region.bytes.data() < other.bytes.data() + other.bytes.size() &&
             other.bytes.data() < region.bytes.data() + region.bytes.size();
    });
    if (!shared && !region.bytes.empty())
      kept.push_back(region);
  }
  regions = std::move(kept);
}

} // namespace

std::string_view string_at(ByteView strings, std::uint64_t offset) {
  if (offset >= strings.size())
    return {};
  const char* begin = reinterpret_cast<const char*>(strings.data()) + offset;
  return {begin, strnlen(begin, strings.size() - offset)};
}

bool begins_as_elf(ByteView bytes) {
  return bytes.size() >= SELFMAG && std::memcmp(bytes.data(), ELFMAG, SELFMAG) == 0;
}

Result<ElfView> ElfView::parse(ByteView bytes, const std::string& name, std::uint64_t addresses) {
  TRY(check_architecture(bytes, name));
  const auto header = load<Elf64_Ehdr>(bytes, 0);
  if (header->e_type == ET_REL)
    return Error{Failure::not_elf, fmt::format("{} is an object file, not a linked program", name),
                 "link it first: ukl build FILE.o -o PROGRAM.ukl"};
  if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
    return Error{Failure::not_elf,
                 fmt::format("{} is an ELF file, but no program (type {})", name, header->e_type),
                 "give an executable file"};
  if (header->e_phentsize != sizeof(Elf64_Phdr) ||
      !within(header->e_phoff, std::uint64_t{header->e_phnum} * sizeof(Elf64_Phdr), bytes.size()))
    return damaged(name, "its program headers are cut off");

  ElfView view;
  view.bytes = bytes;
  view.header = *header;
  std::vector<Region> executable_segments;
  for (unsigned i = 0; i < header->e_phnum; ++i) {
    const auto segment = *load<Elf64_Phdr>(bytes, header->e_phoff + i * sizeof(Elf64_Phdr));
    view.segments.push_back(segment);
    if (segment.p_type != PT_LOAD)
      continue;
    if (!within(segment.p_offset, segment.p_filesz, bytes.size()))
      return damaged(name, fmt::format("segment {} ends behind the file's {} bytes", i, bytes.size()));
    if (segment.p_filesz > segment.p_memsz || !within(segment.p_vaddr, segment.p_memsz, addresses))
      return damaged(name, fmt::format("segment {} has an impossible size or address", i));
    view.memory_end = std::max(view.memory_end, segment.p_vaddr + segment.p_memsz);
    const Region region{segment.p_vaddr, bytes.subspan(segment.p_offset, segment.p_filesz)};
    view.loaded.push_back(region);
    if (segment.p_flags & PF_X)
      executable_segments.push_back(region);
  }
  sort_disjoint(executable_segments);
  sort_disjoint(view.loaded);

  view.sections = parse_sections(bytes, *header);
  for (const auto& section : view.sections) {
    if (!(section.header.sh_flags & SHF_EXECINSTR) || !(section.header.sh_flags & SHF_ALLOC))
      continue;
    for (const auto& segment : executable_segments)
      if (within(section.header.sh_addr - segment.address, section.bytes.size(), segment.bytes.size()) &&
          section.bytes.data() == segment.bytes.data() + (section.header.sh_addr - segment.address))
        view.executable.push_back({section.header.sh_addr, section.bytes});
  }
  sort_disjoint(view.executable);
  if (view.executable.empty())
    view.executable = std::move(executable_segments);
  keep_own_bytes(bytes, view.executable);

  if (const auto* dynamic = view.segment(PT_DYNAMIC)) {
    const auto table = view.at(dynamic->p_vaddr);
    const auto limit = std::min<std::uint64_t>(table.size(), dynamic->p_filesz);
    for (std::uint64_t at = 0; at + sizeof(Elf64_Dyn) <= limit; at += sizeof(Elf64_Dyn)) {
      const auto entry = *load<Elf64_Dyn>(table, at);
      if (entry.d_tag == DT_NULL)
        break;
      if (entry.d_tag == DT_TEXTREL || (entry.d_tag == DT_FLAGS && (entry.d_un.d_val & DF_TEXTREL)))
        view.text_relocations = true;
    }
  }
  return view;
}

ByteView ElfView::at(std::uint64_t address) const {
  for (const auto& segment : segments)
    if (segment.p_type == PT_LOAD && address >= segment.p_vaddr &&
        address - segment.p_vaddr < segment.p_filesz)
      return bytes.subspan(segment.p_offset, segment.p_filesz).subspan(address - segment.p_vaddr);
  return {};
}

const Region* ElfView::text_at(std::uint64_t address) const {
  const auto after =
      std::upper_bound(executable.begin(), executable.end(), address,
                       [](std::uint64_t at, const Region& region) { return at < region.address; });
  if (after == executable.begin())
    return nullptr;
  const auto& region = *std::prev(after);
  return region.contains(address) ? &region : nullptr;
}

ByteView ElfView::text_from(std::uint64_t address) const {
  const auto* region = text_at(address);
  return region ? region->bytes.subspan(address - region->address) : ByteView{};
}

const Section* ElfView::section(std::string_view name) const {
  for (const auto& section : sections)
    if (section.name == name)
      return &section;
  return nullptr;
}

const Elf64_Phdr* ElfView::segment(std::uint32_t type) const {
  for (const auto& segment : segments)
    if (segment.p_type == type)
      return &segment;
  return nullptr;
}

std::vector<Symbol> ElfView::symbols() const {
  std::vector<Symbol> symbols;
  for (const auto& section : sections) {
    if (section.header.sh_type != SHT_SYMTAB && section.header.sh_type != SHT_DYNSYM)
      continue;
    const ByteView strings =
        section.header.sh_link < sections.size() ? sections[section.header.sh_link].bytes : ByteView{};
    for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= section.bytes.size(); at += sizeof(Elf64_Sym)) {
      const auto symbol = *load<Elf64_Sym>(section.bytes, at);
      const auto type = ELF64_ST_TYPE(symbol.st_info);
      if (symbol.st_shndx == SHN_UNDEF || (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE))
        continue;
      const auto* region = text_at(symbol.st_value);
      if (!region)
        continue;
      // A label without a type says that somebody may jump there, but not how far its code goes.
      const auto size = type == STT_NOTYPE ? 0 : std::min(symbol.st_size, region->end() - symbol.st_value);
      symbols.push_back({symbol.st_value, size, string_at(strings, symbol.st_name)});
    }
  }
  std::sort(symbols.begin(), symbols.end(), [](const Symbol& a, const Symbol& b) {
    if (a.address != b.address)
      return a.address < b.address;
    if (a.size != b.size)
      return a.size > b.size;
    return a.name < b.name;
  });
  return symbols;
}

} // namespace ukl::rewrite
