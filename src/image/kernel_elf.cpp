// SPDX-License-Identifier: GPL-2.0-only
#include "image/kernel_elf.hpp"
#include "elf/view.hpp"
#include "support/mapped_file.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <span>

namespace ukl {
namespace {

using namespace rewrite;

Error damaged(const std::string& name, const std::string& what) {
  return {Failure::not_elf, fmt::format("the kernel {} is damaged: {}", name, what),
          "remove it and run: ukl kernel build"};
}

Result<void> read_segments(const ElfView& elf, const std::string& name, KernelElf& kernel) {
  for (std::size_t i = 0; i < elf.segments.size(); ++i) {
    const auto& header = elf.segments[i];
    if (header.p_type != PT_LOAD && header.p_type != PT_NOTE)
      continue;
    const auto end = header.p_paddr + header.p_memsz;
    if (header.p_offset > elf.bytes.size() || header.p_filesz > elf.bytes.size() - header.p_offset ||
        header.p_filesz > header.p_memsz || end < header.p_paddr)
      return damaged(name, fmt::format("segment {} does not fit in the file", i));
    const auto bytes = elf.bytes.subspan(header.p_offset, header.p_filesz);
    Bytes contents(bytes.begin(), bytes.end());
    if (header.p_type == PT_NOTE) {
      kernel.notes.push_back(std::move(contents));
      continue;
    }
    kernel.segments.push_back(
        {header.p_vaddr, header.p_paddr, header.p_memsz, header.p_flags, std::move(contents)});
    kernel.memory_end = std::max(kernel.memory_end, end);
  }
  if (kernel.segments.empty())
    return damaged(name, "it has no segment to load");
  return {};
}

void read_symbols(const ElfView& elf, const std::vector<std::string>& wanted, KernelElf& kernel) {
  for (const auto& section : elf.sections) {
    if (section.header.sh_type != SHT_SYMTAB || section.header.sh_link >= elf.sections.size())
      continue;
    const auto strings = elf.sections[section.header.sh_link].bytes;
    for (std::uint64_t at = 0; const auto symbol = load<Elf64_Sym>(section.bytes, at); at += sizeof *symbol) {
      const auto name = string_at(strings, symbol->st_name);
      if (symbol->st_shndx != SHN_UNDEF && std::ranges::find(wanted, name) != wanted.end())
        kernel.symbols[std::string(name)] = symbol->st_value;
    }
  }
}

Result<std::span<std::uint8_t>> place_in(KernelElf& kernel, std::uint64_t virtual_address, std::size_t size) {
  for (auto& segment : kernel.segments) {
    const auto inside = virtual_address - segment.virtual_address;
    if (virtual_address >= segment.virtual_address && inside <= segment.contents.size() &&
        segment.contents.size() - inside >= size)
      return std::span(segment.contents).subspan(inside, size);
  }
  return damaged(kernel.name, fmt::format("no segment holds the address {:#x}", virtual_address));
}

} // namespace

Result<KernelElf> parse_kernel_elf(std::span<const std::uint8_t> bytes, const std::string& name,
                                   const std::vector<std::string>& symbols) {
  TRY_LET(const auto elf, ElfView::parse(bytes, name, kAllAddresses));
  if (elf.header.e_type != ET_EXEC)
    return damaged(name, "it is not linked to run at a fixed address");
  KernelElf kernel;
  kernel.name = name;
  kernel.entry = elf.header.e_entry;
  TRY(read_segments(elf, name, kernel));
  read_symbols(elf, symbols, kernel);
  return kernel;
}

Result<KernelElf> read_kernel_elf(const std::filesystem::path& path,
                                  const std::vector<std::string>& symbols) {
  TRY_LET(const auto file, MappedFile::open(path));
  return parse_kernel_elf(file.bytes(), path.string(), symbols);
}

Result<void> patch_kernel(KernelElf& kernel, std::uint64_t virtual_address,
                          std::span<const std::uint8_t> bytes) {
  TRY_LET(const auto place, place_in(kernel, virtual_address, bytes.size()));
  std::ranges::copy(bytes, place.begin());
  return {};
}

Result<void> add_in_kernel(KernelElf& kernel, std::uint64_t virtual_address, std::uint32_t value) {
  TRY_LET(const auto place, place_in(kernel, virtual_address, sizeof value));
  std::uint32_t number = 0;
  std::memcpy(&number, place.data(), sizeof number);
  number += value;
  std::memcpy(place.data(), &number, sizeof number);
  return {};
}

} // namespace ukl
