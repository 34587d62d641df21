// SPDX-License-Identifier: GPL-2.0-only
#include "image/kernel_relocations.hpp"
#include "elf/view.hpp"
#include "support/mapped_file.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <string_view>

namespace ukl {
namespace {

using namespace rewrite;

// Where the kernel's addresses begin (__START_KERNEL_map, arch/x86/include/asm/page_64_types.h).
constexpr std::uint64_t kKernelMap = 0xffffffff80000000;
constexpr std::uint64_t kLargestImage = 1 << 30; ///< KERNEL_IMAGE_SIZE with CONFIG_RANDOMIZE_BASE, bytes

Error damaged(const std::string& name, const std::string& what) {
  return {Failure::not_elf, fmt::format("the kernel {} is damaged: {}", name, what),
          "remove it and run: ukl kernel build"};
}

// What a symbol's value means when the kernel moves.
enum class Kind : std::uint8_t { moves, stays, per_cpu, unknown };

class Reader {
public:
  Reader(const ElfView& elf, const std::string& name) : elf_(elf), name_(name) {}

  Result<KernelRelocations> read() {
    for (std::size_t i = 0; i < elf_.sections.size(); ++i)
      // Of a kernel for one CPU it is a section like any other.
      if (elf_.sections[i].name == ".data..percpu" && elf_.sections[i].header.sh_addr == 0)
        per_cpu_section_ = i;
    for (const auto& section : elf_.sections)
      TRY(read_section(section));
    if (result_.obstacle.empty() && result_.wide.empty() && result_.narrow.empty())
      result_.obstacle = "it was linked without its relocations, or has lost them";
    for (auto* places : {&result_.wide, &result_.narrow, &result_.inverse, &result_.of_entry}) {
      std::ranges::sort(*places);
      places->erase(std::unique(places->begin(), places->end()), places->end());
    }
    return std::move(result_);
  }

private:
  Result<void> read_section(const Section& section) {
    const auto& header = section.header;
    if (header.sh_type != SHT_RELA)
      return {};
    if (header.sh_info >= elf_.sections.size() || header.sh_link >= elf_.sections.size() ||
        elf_.sections[header.sh_link].header.sh_type != SHT_SYMTAB)
      return damaged(name_, "its relocations belong to no section");
    const auto& target = elf_.sections[header.sh_info].header;
    // Notes are for loaders, who see the kernel before it moves.
    if (!(target.sh_flags & SHF_ALLOC) || target.sh_type == SHT_NOTE)
      return {};
    if (kinds_.empty())
      read_symbols(elf_.sections[header.sh_link]);
    const auto offset = header.sh_info == per_cpu_section_ ? per_cpu_load_ : 0;
    for (std::uint64_t at = 0; const auto relocation = load<Elf64_Rela>(section.bytes, at);
         at += sizeof *relocation) {
      const auto symbol = ELF64_R_SYM(relocation->r_info);
      if (symbol >= kinds_.size())
        return damaged(name_, "a relocation names no symbol");
      add(*relocation, symbol, relocation->r_offset + offset);
    }
    return {};
  }

  void read_symbols(const Section& section) {
    const auto strings = section.header.sh_link < elf_.sections.size()
                             ? elf_.sections[section.header.sh_link].bytes
                             : ByteView{};
    for (std::uint64_t at = 0; const auto symbol = load<Elf64_Sym>(section.bytes, at); at += sizeof *symbol) {
      const auto name = string_at(strings, symbol->st_name);
      values_.push_back(symbol->st_value);
      kinds_.push_back(kind_of(*symbol, name));
      if (name == "__per_cpu_load")
        per_cpu_load_ = symbol->st_value;
    }
  }

  Kind kind_of(const Elf64_Sym& symbol, std::string_view name) const {
    if (symbol.st_shndx == SHN_UNDEF)
      return Kind::stays;
    // The linker counts three kinds of symbols to the per-CPU section that are ordinary addresses.
    if (per_cpu_section_ != 0 && symbol.st_shndx == per_cpu_section_)
      return name == "__init_begin" || name == "__per_cpu_load" || name.starts_with("init_per_cpu_")
                 ? Kind::moves
                 : Kind::per_cpu;
    if (symbol.st_shndx != SHN_ABS)
      return Kind::moves;
    // Linker scripts define addresses outside of sections too. relocs.c lists their names; their values say
    // the same.
    if (symbol.st_value >= kKernelMap && symbol.st_value - kKernelMap < kLargestImage)
      return Kind::moves;
    for (const auto* constant :
         {"VDSO", "__kcfi_typeid_", "__crc_", "xen_irq_disable_direct_reloc", "xen_save_fl_direct_reloc"})
      if (name.starts_with(constant))
        return Kind::stays;
    return Kind::unknown;
  }

  void add(const Elf64_Rela& relocation, std::size_t symbol, std::uint64_t place) {
    const auto type = ELF64_R_TYPE(relocation.r_info);
    const auto kind = kinds_[symbol];
    switch (type) {
    case R_X86_64_NONE:
      return;
    case R_X86_64_PC32:
    case R_X86_64_PLT32:
      if (kind == Kind::per_cpu)
        result_.inverse.push_back(place);
      if (values_[symbol] - kKernelMap == elf_.header.e_entry)
        result_.of_entry.push_back(place);
      return;
    case R_X86_64_PC64:
      if (kind == Kind::per_cpu)
        obstacle(fmt::format("a 64-bit distance to a per-CPU variable at {:#x}", place));
      return;
    case R_X86_64_32:
    case R_X86_64_32S:
    case R_X86_64_64:
      if (kind == Kind::unknown)
        obstacle(fmt::format("an address at {:#x} of a symbol outside of its sections", place));
      if (kind != Kind::moves)
        return;
      (type == R_X86_64_64 ? result_.wide : result_.narrow).push_back(place);
      if (type != R_X86_64_64 &&
          values_[symbol] + static_cast<std::uint64_t>(relocation.r_addend) == elf_.header.e_entry)
        result_.of_entry.push_back(place);
      return;
    default:
      obstacle(fmt::format("a relocation of type {} at {:#x}", type, place));
    }
  }

  void obstacle(std::string text) {
    if (result_.obstacle.empty())
      result_.obstacle = "it has " + std::move(text);
  }

  const ElfView& elf_;
  const std::string& name_;
  std::size_t per_cpu_section_ = 0;
  std::uint64_t per_cpu_load_ = 0;
  std::vector<std::uint64_t> values_; ///< of symbols
  std::vector<Kind> kinds_;
  KernelRelocations result_;
};

} // namespace

Result<KernelRelocations> parse_kernel_relocations(std::span<const std::uint8_t> bytes,
                                                   const std::string& name) {
  TRY_LET(const auto elf, ElfView::parse(bytes, name, kAllAddresses));
  return Reader(elf, name).read();
}

Result<KernelRelocations> read_kernel_relocations(const std::filesystem::path& path) {
  TRY_LET(const auto file, MappedFile::open(path));
  return parse_kernel_relocations(file.bytes(), path.string());
}

} // namespace ukl
