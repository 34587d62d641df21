// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/elf_view.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl::rewrite {
namespace {

constexpr std::uint64_t kUserAddresses = 1ULL << 47;

Error damaged(const std::string& name, const std::string& what) {
  return {Failure::not_elf, fmt::format("{}: {}", name, what), "get an undamaged copy of the file"};
}

bool within(std::uint64_t offset, std::uint64_t size, std::uint64_t limit) {
  return offset <= limit && size <= limit - offset;
}

std::string_view string_at(ByteView strings, std::uint64_t offset) {
  if (offset >= strings.size())
    return {};
  const char* begin = reinterpret_cast<const char*>(strings.data()) + offset;
  return {begin, strnlen(begin, strings.size() - offset)};
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

Result<ElfView> ElfView::parse(ByteView bytes, const std::string& name) {
  const auto header = load<Elf64_Ehdr>(bytes, 0);
  if (!header || std::memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
    return Error{Failure::not_elf, fmt::format("{} is not an ELF file", name),
                 "give a Linux program or library"};
  if (header->e_ident[EI_CLASS] != ELFCLASS64 || header->e_ident[EI_DATA] != ELFDATA2LSB ||
      header->e_machine != EM_X86_64)
    return Error{Failure::wrong_architecture, fmt::format("{} is not a 64-bit x86 ELF file", name),
                 "build it for x86-64"};
  if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
    return Error{Failure::not_elf, fmt::format("{} is neither an executable nor a shared object", name),
                 "link it first"};
  if (header->e_phentsize != sizeof(Elf64_Phdr) ||
      !within(header->e_phoff, std::uint64_t{header->e_phnum} * sizeof(Elf64_Phdr), bytes.size()))
    return damaged(name, "the program header table is damaged");

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
      return damaged(name, "a segment reaches past the end of the file");
    if (segment.p_filesz > segment.p_memsz || !within(segment.p_vaddr, segment.p_memsz, kUserAddresses))
      return damaged(name, "a segment has an impossible size or address");
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
