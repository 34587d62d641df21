// SPDX-License-Identifier: GPL-2.0-only
#include "elf/dynamic_links.hpp"

#include <algorithm>

namespace ukl::rewrite {
namespace {

class Reader {
public:
  explicit Reader(const ElfView& elf) : elf_(elf) {
    const auto* dynamic = elf.segment(PT_DYNAMIC);
    const auto table = dynamic ? elf.at(dynamic->p_vaddr) : ByteView{};
    for (std::uint64_t at = 0; dynamic && at < dynamic->p_filesz; at += sizeof(Elf64_Dyn)) {
      const auto entry = load<Elf64_Dyn>(table, at);
      if (!entry || entry->d_tag == DT_NULL)
        break;
      if (entry->d_tag == DT_NEEDED)
        needed_.push_back(entry->d_un.d_val);
      else
        values_[entry->d_tag] = entry->d_un.d_val;
    }
    strings_ = table_of(DT_STRTAB, DT_STRSZ);
  }

  DynamicLinks read() {
    for (const auto offset : needed_)
      links_.needed.emplace_back(string_at(strings_, offset));
    if (values_.contains(DT_SONAME))
      links_.soname = string_at(strings_, values_[DT_SONAME]);
    read_exports();
    read_relocations(table_of(DT_RELA, DT_RELASZ));
    read_relocations(table_of(DT_JMPREL, DT_PLTRELSZ));
    read_relative(table_of(DT_RELR, DT_RELRSZ));
    if (elf_.header.e_type == ET_EXEC)
      read_words();
    for (const auto tag : {DT_INIT, DT_FINI})
      if (values_.contains(tag))
        add_pointer(values_[tag]);
    auto& pointers = links_.pointers;
    std::sort(pointers.begin(), pointers.end());
    pointers.erase(std::unique(pointers.begin(), pointers.end()), pointers.end());
    return std::move(links_);
  }

private:
  ByteView table_of(std::int64_t address_tag, std::int64_t size_tag) {
    if (!values_.contains(address_tag) || !values_.contains(size_tag))
      return {};
    const auto bytes = elf_.at(values_[address_tag]);
    return bytes.first(std::min<std::uint64_t>(bytes.size(), values_[size_tag]));
  }

  void add_pointer(std::uint64_t address) {
    if (elf_.text_at(address))
      links_.pointers.push_back(address);
  }

  std::optional<Elf64_Sym> symbol(std::uint64_t index) {
    if (!values_.contains(DT_SYMTAB) || index > 1u << 28)
      return std::nullopt;
    return load<Elf64_Sym>(elf_.at(values_[DT_SYMTAB]), index * sizeof(Elf64_Sym));
  }

  void read_exports() {
    for (const auto& section : elf_.sections)
      if (section.header.sh_type == SHT_DYNSYM)
        for (std::uint64_t at = 0; at + sizeof(Elf64_Sym) <= section.bytes.size(); at += sizeof(Elf64_Sym)) {
          const auto entry = *load<Elf64_Sym>(section.bytes, at);
          const std::string name(string_at(strings_, entry.st_name));
          if (entry.st_shndx == SHN_UNDEF)
            links_.imports.insert(name);
          else if (elf_.text_at(entry.st_value))
            links_.exports.emplace(name, entry.st_value);
        }
  }

  void read_relocations(ByteView table) {
    for (std::uint64_t at = 0; at + sizeof(Elf64_Rela) <= table.size(); at += sizeof(Elf64_Rela)) {
      const auto entry = *load<Elf64_Rela>(table, at);
      switch (ELF64_R_TYPE(entry.r_info)) {
      case R_X86_64_RELATIVE:
      case R_X86_64_IRELATIVE:
        add_pointer(static_cast<std::uint64_t>(entry.r_addend));
        break;
      case R_X86_64_GLOB_DAT:
      case R_X86_64_JUMP_SLOT:
      case R_X86_64_64:
        if (const auto target = symbol(ELF64_R_SYM(entry.r_info))) {
          const std::string name(string_at(strings_, target->st_name));
          if (ELF64_R_TYPE(entry.r_info) != R_X86_64_64)
            links_.slots[entry.r_offset] = name;
          if (ELF64_R_TYPE(entry.r_info) == R_X86_64_64)
            links_.held.insert(name);
          if (target->st_shndx == SHN_UNDEF)
            links_.imports.insert(name);
          else
            add_pointer(target->st_value + static_cast<std::uint64_t>(entry.r_addend));
        }
        break;
      default:
        break;
      }
    }
  }

  // Packed relative relocations: an even word is an address, an odd one a bitmap of the 63 words behind it.
  void read_relative(ByteView table) {
    std::uint64_t place = 0;
    const auto add_at = [&](std::uint64_t address) {
      if (const auto value = load<std::uint64_t>(elf_.at(address), 0))
        add_pointer(*value);
    };
    for (std::uint64_t at = 0; at + 8 <= table.size(); at += 8) {
      const auto word = *load<std::uint64_t>(table, at);
      if ((word & 1) == 0) {
        add_at(word);
        place = word + 8;
        continue;
      }
      for (std::uint64_t bit = 1; bit < 64; ++bit)
        if (word >> bit & 1)
          add_at(place + (bit - 1) * 8);
      place += std::uint64_t{63} * 8;
    }
  }

  // A program at a fixed address has its pointers as they are. Symbol tables hold addresses too, but no
  // pointers.
  void read_words() {
    const auto symbols = values_.contains(DT_SYMTAB) ? values_[DT_SYMTAB] : 0;
    const auto symbols_end = values_.contains(DT_STRTAB) ? std::max(values_[DT_STRTAB], symbols) : symbols;
    for (const auto& region : elf_.loaded) {
      if (elf_.text_at(region.address) && elf_.sections.empty())
        continue;
      for (std::uint64_t at = (8 - region.address % 8) % 8; at + 8 <= region.bytes.size(); at += 8) {
        const auto place = region.address + at;
        if ((place < symbols || place >= symbols_end) && !elf_.text_at(place))
          add_pointer(*load<std::uint64_t>(region.bytes, at));
      }
    }
  }

  const ElfView& elf_;
  ByteView strings_;
  std::map<std::int64_t, std::uint64_t> values_;
  std::vector<std::uint64_t> needed_;
  DynamicLinks links_;
};

} // namespace

DynamicLinks dynamic_links(const ElfView& elf) {
  return Reader(elf).read();
}

} // namespace ukl::rewrite
