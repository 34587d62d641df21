// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/unwind_tables.hpp"

#include "elf/dwarf.hpp"

#include <algorithm>
#include <unordered_map>

namespace ukl::rewrite {
namespace {

// What a common information entry says about the entries that refer to it.
struct Common {
  std::uint8_t address_encoding = dwarf::kAbsolute;
  std::uint8_t table_encoding = dwarf::kOmitted;
  bool has_augmentation_data = false;
  bool signal_frame = false;
  std::uint64_t code_alignment = 1;
};

std::optional<Common> parse_common(Cursor cursor) {
  Common common;
  const auto version = cursor.u8();
  const auto augmentation = cursor.text();
  if (augmentation == "eh")
    cursor.skip(8);
  common.code_alignment = cursor.uleb();
  cursor.sleb(); // data alignment
  if (version == 1)
    cursor.u8(); // return address register
  else
    cursor.uleb();
  if (!augmentation.empty() && augmentation[0] == 'z') {
    common.has_augmentation_data = true;
    cursor.uleb();
    for (const char letter : augmentation.substr(1)) {
      if (letter == 'R')
        common.address_encoding = cursor.u8();
      else if (letter == 'L')
        common.table_encoding = cursor.u8();
      else if (letter == 'P')
        cursor.pointer(cursor.u8());
      else if (letter == 'S')
        common.signal_frame = true;
      else if (letter != 'B')
        break;
    }
  }
  if (!cursor.good())
    return std::nullopt;
  return common;
}

} // namespace

std::vector<FrameEntry> frame_entries(const ElfView& elf) {
  std::vector<FrameEntry> entries;
  std::uint64_t address = 0;
  ByteView frames;
  if (const auto* section = elf.section(".eh_frame")) {
    address = section->header.sh_addr;
    frames = section->bytes;
  } else if (const auto* header = elf.segment(PT_GNU_EH_FRAME)) {
    Cursor cursor{elf.at(header->p_vaddr), header->p_vaddr};
    cursor.u8(); // version
    const auto encoding = cursor.u8();
    cursor.skip(2);
    address = cursor.pointer(encoding);
    if (cursor.good())
      frames = elf.at(address);
  }

  std::unordered_map<std::uint64_t, std::optional<Common>> commons;
  std::uint64_t at = 0;
  while (const auto short_length = load<std::uint32_t>(frames, at)) {
    if (*short_length == 0 || *short_length == 0xffffffff)
      break; // the end; 64-bit entries are not used on x86-64
    const std::uint64_t body = at + 4, next = body + *short_length;
    if (next > frames.size())
      break;
    Cursor cursor{frames.subspan(body, *short_length), address + body};
    const auto back = cursor.u32();
    at = next;
    if (back == 0 || back > body)
      continue; // itself a common entry, or damaged
    const auto common_at = body - back;
    auto found = commons.find(common_at);
    if (found == commons.end()) {
      std::optional<Common> common;
      const auto length = load<std::uint32_t>(frames, common_at);
      if (length && *length >= 4 && common_at + 4 + *length <= frames.size()) {
        Cursor inner{frames.subspan(common_at + 4, *length), address + common_at + 4};
        if (inner.u32() == 0)
          common = parse_common(inner);
      }
      found = commons.emplace(common_at, common).first;
    }
    if (!found->second)
      continue;
    const auto& common = *found->second;
    auto start = cursor.pointer(common.address_encoding);
    auto length = cursor.pointer(common.address_encoding & dwarf::kFormatMask);
    std::uint64_t table = 0;
    if (common.has_augmentation_data) {
      const auto size = cursor.uleb();
      const auto before = cursor.offset();
      if (common.table_encoding != dwarf::kOmitted)
        table = cursor.pointer(common.table_encoding);
      if (size < cursor.offset() - before)
        continue;
      cursor.skip(size - (cursor.offset() - before));
    }
    // Unwinders look a byte below a return address, so the entry of a signal trampoline begins a byte before
    // it.
    if (common.signal_frame && length > 1) {
      ++start;
      --length;
    }
    const auto* region = elf.text_at(start);
    if (!cursor.good() || !region || length == 0 || length > region->end() - start)
      continue;
    entries.push_back({start, start + length, table, common.code_alignment,
                       frames.subspan(body + cursor.offset(), *short_length - cursor.offset())});
  }
  std::sort(entries.begin(), entries.end(),
            [](const FrameEntry& a, const FrameEntry& b) { return a.start < b.start; });
  return entries;
}

std::optional<std::vector<std::uint64_t>> landing_pads(const ElfView& elf, const FrameEntry& entry) {
  std::vector<std::uint64_t> pads;
  if (entry.exception_table == 0)
    return pads;
  Cursor cursor{elf.at(entry.exception_table), entry.exception_table};
  std::uint64_t base = entry.start;
  const auto base_encoding = cursor.u8();
  if (base_encoding != dwarf::kOmitted)
    base = cursor.pointer(base_encoding);
  const auto type_encoding = cursor.u8();
  if (type_encoding != dwarf::kOmitted)
    cursor.uleb();
  const auto site_encoding = cursor.u8();
  const auto end = cursor.uleb() + cursor.offset();
  while (cursor.good() && cursor.offset() < end) {
    cursor.pointer(site_encoding); // start
    cursor.pointer(site_encoding); // length
    const auto pad = cursor.pointer(site_encoding);
    cursor.uleb(); // action
    if (pad != 0)
      pads.push_back(base + pad);
  }
  if (!cursor.good())
    return std::nullopt;
  return pads;
}

bool same_frame_row(const FrameEntry& entry, std::uint64_t one, std::uint64_t other) {
  const auto low = std::min(one, other), high = std::max(one, other);
  auto place = entry.start;
  Cursor cursor{entry.program, 0};
  while (cursor.good() && cursor.offset() < entry.program.size()) {
    const auto code = cursor.u8();
    std::uint64_t advance = 0;
    switch (code >> 6) { // DWARF 5 section 7.24
    case 1:
      advance = code & 0x3f;
      break;
    case 2:
      cursor.uleb();
      break; // offset
    case 3:
      break; // restore
    default:
      switch (code) {
      case 0x01:
        return false; // set_loc: not made by any compiler for x86-64
      case 0x02:
        advance = cursor.u8();
        break;
      case 0x03:
        advance = cursor.read<std::uint16_t>();
        break;
      case 0x04:
        advance = cursor.u32();
        break;
      case 0x00: // nop
      case 0x0a: // remember_state
      case 0x0b: // restore_state
        break;
      case 0x06: // restore_extended
      case 0x07: // undefined
      case 0x08: // same_value
      case 0x0d: // def_cfa_register
      case 0x0e: // def_cfa_offset
      case 0x2e: // GNU_args_size
      case 0x13: // def_cfa_offset_sf
        cursor.uleb();
        break;
      case 0x05: // offset_extended
      case 0x09: // register
      case 0x0c: // def_cfa
      case 0x11: // offset_extended_sf
      case 0x12: // def_cfa_sf
      case 0x14: // val_offset
      case 0x15: // val_offset_sf
      case 0x2f: // GNU_negative_offset_extended
        cursor.uleb();
        cursor.uleb();
        break;
      case 0x0f: // def_cfa_expression
        cursor.skip(cursor.uleb());
        break;
      case 0x10: // expression
      case 0x16: // val_expression
        cursor.uleb();
        cursor.skip(cursor.uleb());
        break;
      default:
        return false;
      }
    }
    place += advance * entry.code_alignment;
    if (advance != 0 && place > low && place <= high)
      return false;
  }
  return cursor.good();
}

} // namespace ukl::rewrite
