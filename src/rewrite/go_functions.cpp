// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/go_functions.hpp"

namespace ukl::rewrite {

namespace {

// The table's parts, or nothing if there is none that is understood.
struct GoTable {
  ByteView bytes;
  std::uint64_t count = 0;                ///< of functions
  std::uint64_t text = 0;                 ///< address to which the functions' offsets are added
  std::uint64_t names = 0, functions = 0; ///< offsets into `bytes`
};

std::optional<GoTable> go_table(const ElfView& elf) {
  const auto* section = elf.section(".gopclntab");
  if (!section)
    section = elf.section(".data.rel.ro.gopclntab");
  if (!section)
    return std::nullopt;
  const auto magic = load<std::uint32_t>(section->bytes, 0);
  if (!magic || (*magic != 0xfffffff0 && *magic != 0xfffffff1))
    return std::nullopt; // 1.18, 1.20
  // Header: magic, two zero bytes, instruction quantum, pointer size, then eight-byte words.
  const auto count = load<std::uint64_t>(section->bytes, 8);
  const auto text = load<std::uint64_t>(section->bytes, 24);
  const auto names = load<std::uint64_t>(section->bytes, 32);
  const auto functions = load<std::uint64_t>(section->bytes, 64);
  if (!count || !text || !names || !functions || *functions > section->bytes.size())
    return std::nullopt;
  // In a position-independent program the dynamic loader fills `text` in; it is the start of .text.
  const auto* text_section = elf.section(".text");
  const auto base = *text != 0 || !text_section ? *text : text_section->header.sh_addr;
  return GoTable{section->bytes, *count, base, *names, *functions};
}

} // namespace

std::vector<std::uint64_t> go_function_starts(const ElfView& elf) {
  std::vector<std::uint64_t> starts;
  const auto table = go_table(elf);
  for (std::uint64_t i = 0; table && i < table->count; ++i) {
    const auto offset = load<std::uint32_t>(table->bytes, table->functions + i * 8);
    if (!offset)
      break;
    if (elf.text_at(table->text + *offset))
      starts.push_back(table->text + *offset);
  }
  return starts;
}

std::string_view go_function_name(const ElfView& elf, std::uint64_t start) {
  const auto table = go_table(elf);
  for (std::uint64_t i = 0; table && i < table->count; ++i) {
    const auto offset = load<std::uint32_t>(table->bytes, table->functions + i * 8);
    const auto description = load<std::uint32_t>(table->bytes, table->functions + i * 8 + 4);
    if (!offset || !description)
      break;
    if (table->text + *offset != start)
      continue;
    // struct _func: its start, then where its name lies among the names.
    const auto name = load<std::uint32_t>(table->bytes, table->functions + *description + 4);
    if (!name || table->names + *name >= table->bytes.size())
      break;
    const auto bytes = table->bytes.subspan(table->names + *name);
    const auto* text = reinterpret_cast<const char*>(bytes.data());
    return {text, strnlen(text, bytes.size())};
  }
  return {};
}

} // namespace ukl::rewrite
