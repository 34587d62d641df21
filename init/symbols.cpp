// SPDX-License-Identifier: GPL-2.0-only
#include "symbols.hpp"

#include <cstdio>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr std::uint64_t kPage = 4096;

// The file's bytes, with every access checked against its size. Mapped once, never unmapped: init is about to
// end.
struct File {
  const char* bytes = nullptr;
  std::uint64_t size = 0;

  template <typename T> const T* at(std::uint64_t offset, std::uint64_t count = 1) const {
    if (offset > size || count > (size - offset) / sizeof(T) || offset % alignof(T) != 0)
      return nullptr;
    return reinterpret_cast<const T*>(bytes + offset);
  }
};

File map_file(const std::string& path) {
  File file;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat info;
  if (fd < 0 || fstat(fd, &info) != 0)
    return file;
  void* bytes = mmap(nullptr, static_cast<std::size_t>(info.st_size), PROT_READ, MAP_PRIVATE, fd, 0);
  close(fd);
  if (bytes != MAP_FAILED)
    file = {static_cast<const char*>(bytes), static_cast<std::uint64_t>(info.st_size)};
  return file;
}

// The address that the linker gave to what is mapped: that of the executable segment which fills as many
// pages as the mapping, or of the first one.
std::uint64_t linked_address(const File& file, const Elf64_Ehdr& header, std::uint64_t mapping,
                             std::uint64_t mapping_size, std::uint64_t instruction) {
  const auto* segments = file.at<Elf64_Phdr>(header.e_phoff, header.e_phnum);
  if (header.e_type != ET_DYN || !segments)
    return instruction;
  const Elf64_Phdr* chosen = nullptr;
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    const Elf64_Phdr& segment = segments[i];
    if (segment.p_type != PT_LOAD || !(segment.p_flags & PF_X))
      continue;
    const std::uint64_t start = segment.p_vaddr & ~(kPage - 1);
    const std::uint64_t end = (segment.p_vaddr + segment.p_filesz + kPage - 1) & ~(kPage - 1);
    if (!chosen || end - start == mapping_size)
      chosen = &segment;
    if (end - start == mapping_size)
      break;
  }
  return chosen ? instruction - mapping + (chosen->p_vaddr & ~(kPage - 1)) : instruction;
}

std::string find_in_table(const File& file, const Elf64_Shdr& table, const Elf64_Shdr& names,
                          std::uint64_t address) {
  const std::uint64_t count = table.sh_size / sizeof(Elf64_Sym);
  const auto* symbols = file.at<Elf64_Sym>(table.sh_offset, count);
  const char* strings = file.at<char>(names.sh_offset, names.sh_size);
  if (!symbols || !strings || names.sh_size == 0 || strings[names.sh_size - 1] != '\0')
    return {};
  for (std::uint64_t i = 0; i < count; ++i) {
    const Elf64_Sym& symbol = symbols[i];
    const auto type = ELF64_ST_TYPE(symbol.st_info);
    if ((type != STT_FUNC && type != STT_GNU_IFUNC) || symbol.st_shndx == SHN_UNDEF ||
        symbol.st_name >= names.sh_size || address < symbol.st_value ||
        address - symbol.st_value >= symbol.st_size)
      continue;
    char offset[24];
    snprintf(offset, sizeof offset, "+0x%llx", static_cast<unsigned long long>(address - symbol.st_value));
    return std::string(strings + symbol.st_name) + offset;
  }
  return {};
}

} // namespace

std::string name_of_address(const std::string& path, std::uint64_t mapping, std::uint64_t mapping_size,
                            std::uint64_t instruction) {
  const File file = map_file(path);
  const auto* header = file.at<Elf64_Ehdr>(0);
  if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
    return {};
  const auto* sections = file.at<Elf64_Shdr>(header->e_shoff, header->e_shnum);
  if (!sections)
    return {};
  const std::uint64_t address = linked_address(file, *header, mapping, mapping_size, instruction);
  for (const unsigned type : {SHT_SYMTAB, SHT_DYNSYM})
    for (unsigned i = 0; i < header->e_shnum; ++i) {
      if (sections[i].sh_type != type || sections[i].sh_link >= header->e_shnum)
        continue;
      const std::string name = find_in_table(file, sections[i], sections[sections[i].sh_link], address);
      if (!name.empty())
        return name;
    }
  return {};
}

} // namespace ukl::init
