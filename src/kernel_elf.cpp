// SPDX-License-Identifier: GPL-2.0-only
#include "kernel_elf.hpp"
#include "elf_file.hpp"
#include "support/mapped_file.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <gelf.h>
#include <memory>

namespace ukl {
namespace {

Error damaged(const std::string& name, const std::string& what) {
  return {Failure::not_elf, fmt::format("the kernel {} is damaged: {}", name, what),
          "remove it and run: ukl kernel build"};
}

Result<void> read_segments(Elf* elf, std::span<const std::uint8_t> file, const std::string& name,
                           KernelElf& kernel) {
  std::size_t count = 0;
  if (elf_getphdrnum(elf, &count) != 0)
    return damaged(name, elf_errmsg(-1));
  for (std::size_t i = 0; i < count; ++i) {
    GElf_Phdr header;
    if (!gelf_getphdr(elf, static_cast<int>(i), &header))
      return damaged(name, elf_errmsg(-1));
    if (header.p_type != PT_LOAD && header.p_type != PT_NOTE)
      continue;
    const auto end = header.p_paddr + header.p_memsz;
    if (header.p_offset > file.size() || header.p_filesz > file.size() - header.p_offset ||
        header.p_filesz > header.p_memsz || end < header.p_paddr)
      return damaged(name, fmt::format("segment {} does not fit in the file", i));
    const auto* start = file.data() + header.p_offset;
    Bytes contents(start, start + header.p_filesz);
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

void read_symbols(Elf* elf, const std::vector<std::string>& wanted, KernelElf& kernel) {
  for (Elf_Scn* section = nullptr; (section = elf_nextscn(elf, section));) {
    GElf_Shdr header;
    if (!gelf_getshdr(section, &header) || header.sh_type != SHT_SYMTAB)
      continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    GElf_Sym symbol;
    for (int i = 0; data && gelf_getsym(data, i, &symbol); ++i) {
      const char* name = elf_strptr(elf, header.sh_link, symbol.st_name);
      if (name && symbol.st_shndx != SHN_UNDEF && std::ranges::find(wanted, name) != wanted.end())
        kernel.symbols[name] = symbol.st_value;
    }
  }
}

} // namespace

Result<KernelElf> read_kernel_elf(const std::filesystem::path& path,
                                  const std::vector<std::string>& symbols) {
  auto file = MappedFile::open(path);
  if (!file)
    return file.error();
  const auto bytes = file->bytes();
  auto checked = parse_elf(bytes, path.string());
  if (!checked)
    return checked.error();
  if (checked->kind != ElfFile::Kind::executable)
    return damaged(path.string(), "it is not linked to run at a fixed address");

  elf_version(EV_CURRENT);
  // libelf takes a pointer to non-const, but only a file opened for writing is ever written to.
  auto* image = reinterpret_cast<char*>(const_cast<std::uint8_t*>(bytes.data()));
  std::unique_ptr<Elf, int (*)(Elf*)> elf(elf_memory(image, bytes.size()), elf_end);
  if (!elf)
    return damaged(path.string(), elf_errmsg(-1));
  KernelElf kernel;
  kernel.name = path.string();
  kernel.entry = checked->entry;
  if (auto read = read_segments(elf.get(), bytes, path.string(), kernel); !read)
    return read.error();
  read_symbols(elf.get(), symbols, kernel);
  return kernel;
}

Result<void> patch_kernel(KernelElf& kernel, std::uint64_t virtual_address,
                          std::span<const std::uint8_t> bytes) {
  for (auto& segment : kernel.segments) {
    const auto inside = virtual_address - segment.virtual_address;
    if (virtual_address < segment.virtual_address || inside > segment.contents.size() ||
        segment.contents.size() - inside < bytes.size())
      continue;
    std::ranges::copy(bytes, segment.contents.begin() + static_cast<std::ptrdiff_t>(inside));
    return {};
  }
  return damaged(kernel.name, fmt::format("no segment holds the address {:#x}", virtual_address));
}

} // namespace ukl
