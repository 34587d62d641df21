// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/own_file.hpp"

#include <algorithm>

namespace ukl::rewrite {
namespace {

// Zeros that linkers leave behind: Go's, up to a page and what it had room for.
constexpr std::size_t kMostAlignment = 8192; ///< bytes

bool is_packed(const ElfView& elf) {
  struct Info {
    std::uint32_t checksum;
    char magic[4];
  };
  const auto info =
      load<Info>(elf.bytes, elf.header.e_phoff + std::uint64_t{elf.header.e_phnum} * sizeof(Elf64_Phdr));
  return info && std::string_view(info->magic, sizeof info->magic) == "UPX!";
}

} // namespace

std::uint64_t appended_bytes(const ElfView& elf) {
  const std::uint64_t size = elf.bytes.size();
  std::uint64_t end = sizeof(Elf64_Ehdr);
  // What does not lie in the file says nothing of where it ends.
  const auto add = [&](std::uint64_t offset, std::uint64_t bytes) {
    if (offset <= size && bytes <= size - offset)
      end = std::max(end, offset + bytes);
  };
  add(elf.header.e_phoff, elf.segments.size() * sizeof(Elf64_Phdr));
  for (const auto& segment : elf.segments)
    add(segment.p_offset, segment.p_filesz);
  if (!elf.sections.empty())
    add(elf.header.e_shoff, elf.sections.size() * sizeof(Elf64_Shdr));
  for (const auto& section : elf.sections)
    if (!section.bytes.empty())
      add(section.header.sh_offset, section.header.sh_size);
  const auto rest = elf.bytes.subspan(end);
  if (rest.size() < kMostAlignment && std::ranges::all_of(rest, [](std::uint8_t byte) { return byte == 0; }))
    return 0;
  return rest.size();
}

Reason reason_to_keep(const ElfView& elf) {
  if (is_packed(elf))
    return Reason::packed;
  return appended_bytes(elf) > 0 ? Reason::appended_data : Reason::none;
}

} // namespace ukl::rewrite
