// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/go_functions.hpp"

namespace ukl::rewrite {

std::vector<std::uint64_t> go_function_starts(const ElfView& elf) {
  std::vector<std::uint64_t> starts;
  const auto* section = elf.section(".gopclntab");
  if (!section)
    section = elf.section(".data.rel.ro.gopclntab");
  if (!section)
    return starts;
  const auto magic = load<std::uint32_t>(section->bytes, 0);
  if (!magic || (*magic != 0xfffffff0 && *magic != 0xfffffff1))
    return starts; // 1.18, 1.20
  // Header: magic, two zero bytes, instruction quantum, pointer size, then eight-byte words.
  const auto count = load<std::uint64_t>(section->bytes, 8);
  const auto text = load<std::uint64_t>(section->bytes, 24);
  const auto table = load<std::uint64_t>(section->bytes, 64);
  if (!count || !text || !table)
    return starts;
  // In a position-independent program the dynamic loader fills `text` in; it is the start of .text.
  const auto* text_section = elf.section(".text");
  const auto base = *text != 0 || !text_section ? *text : text_section->header.sh_addr;
  for (std::uint64_t i = 0; i < *count; ++i) {
    if (*table > section->bytes.size())
      break;
    const auto offset = load<std::uint32_t>(section->bytes, *table + i * 8);
    if (!offset)
      break;
    if (elf.text_at(base + *offset))
      starts.push_back(base + *offset);
  }
  return starts;
}

} // namespace ukl::rewrite
