// SPDX-License-Identifier: GPL-2.0-only
// Malformed ELF files and code bytes. The first byte of the input chooses: the rest is a whole file, or code
// that is wrapped into a small well-formed one. A rewritten file must be known as such, and never change
// again.
#include "rewrite/report.hpp"

#include <cstdlib>
#include <cstring>
#include <elf.h>
#include <nlohmann/json.hpp>

namespace {

constexpr std::uint64_t kBase = 0x400000, kPage = 4096;

ukl::Bytes wrap(const std::uint8_t* code, std::size_t size) {
  ukl::Bytes file(kPage + size);
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_entry = kBase + kPage;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  header.e_shoff = 1024;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = 4;
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = kBase;
  segment.p_filesz = segment.p_memsz = file.size();
  segment.p_align = kPage;
  Elf64_Shdr sections[4]{};
  sections[1].sh_type = SHT_PROGBITS; // the code
  sections[1].sh_flags = SHF_ALLOC | SHF_EXECINSTR;
  sections[1].sh_addr = kBase + kPage;
  sections[1].sh_offset = kPage;
  sections[1].sh_size = size;
  sections[2].sh_type = SHT_SYMTAB; // one function over all of it, so that windows of every kind are tried
  sections[2].sh_offset = 2048;
  sections[2].sh_size = sizeof(Elf64_Sym);
  sections[2].sh_link = 3;
  sections[3].sh_type = SHT_STRTAB;
  sections[3].sh_offset = 3072;
  sections[3].sh_size = 16;
  Elf64_Sym symbol{};
  symbol.st_info = ELF64_ST_INFO(STB_GLOBAL, STT_FUNC);
  symbol.st_shndx = 1;
  symbol.st_value = kBase + kPage;
  symbol.st_size = size;
  std::memcpy(file.data(), &header, sizeof header);
  std::memcpy(file.data() + sizeof header, &segment, sizeof segment);
  std::memcpy(file.data() + 1024, sections, sizeof sections);
  std::memcpy(file.data() + 2048, &symbol, sizeof symbol);
  if (size > 0)
    std::memcpy(file.data() + kPage, code, size);
  return file;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0)
    return 0;
  auto file = data[0] & 1 ? wrap(data + 1, size - 1) : ukl::Bytes(data + 1, data + size);
  const auto before = file;
  const ukl::RewriteOptions options{"input", UKL_GATE};
  const auto first = ukl::rewrite_elf(file, options);
  if (!first) {
    if (file != before)
      abort();
    return 0;
  }
  const auto once = file;
  const auto second = ukl::rewrite_elf(file, options);
  if (!second || file != once || first->sites.size() != second->sites.size())
    abort();
  if (once != before && !second->already_rewritten)
    abort();
  if (ukl::report_text(*first).empty() || ukl::report_json(*second).empty())
    abort();
  return 0;
}
