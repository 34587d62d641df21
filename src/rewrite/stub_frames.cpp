// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/stub_frames.hpp"

#include "elf/dwarf.hpp"

#include <algorithm>
#include <limits>

namespace ukl::rewrite {
namespace {

// DWARF 5 section 7.24 and 7.7.1; System V ABI, AMD64 supplement, "DWARF Register Number Mapping".
constexpr std::uint8_t kAdvance1 = 0x02, kAdvance2 = 0x03, kAdvance4 = 0x04, kDefineCfa = 0x0c,
                       kValueExpression = 0x16;
constexpr std::uint8_t kBaseRegister = 0x70; // DW_OP_breg0
constexpr std::uint8_t kStackPointer = 7, kReturnAddress = 16;

constexpr std::uint64_t kIslandLength = 5;                  ///< bytes of a long jump
constexpr std::size_t kHeaderLength = 12, kEntryLength = 8; ///< bytes, of .eh_frame_hdr

void append_32(Bytes& bytes, std::uint64_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8)
    bytes.push_back(static_cast<std::uint8_t>(value >> shift));
}

void append_sleb(Bytes& bytes, std::int64_t value) {
  while (true) {
    const auto low = static_cast<std::uint8_t>(value & 0x7f);
    value >>= 7;
    const bool last = (value == 0 && !(low & 0x40)) || (value == -1 && (low & 0x40));
    bytes.push_back(last ? low : low | 0x80);
    if (last)
      return;
  }
}

void append_advance(Bytes& bytes, std::uint32_t distance) {
  if (distance == 0)
    return;
  if (distance < 0x40) {
    bytes.push_back(static_cast<std::uint8_t>(0x40 | distance));
  } else if (distance <= 0xff) {
    bytes.insert(bytes.end(), {kAdvance1, static_cast<std::uint8_t>(distance)});
  } else if (distance <= 0xffff) {
    bytes.insert(bytes.end(),
                 {kAdvance2, static_cast<std::uint8_t>(distance), static_cast<std::uint8_t>(distance >> 8)});
  } else {
    bytes.push_back(kAdvance4);
    append_32(bytes, distance);
  }
}

// Closes the record that begins at `start` with its length, padded with DW_CFA_nop to a multiple of four
// bytes.
void close_record(Bytes& bytes, std::size_t start) {
  while ((bytes.size() - start) % 4 != 0)
    bytes.push_back(0);
  const auto length = static_cast<std::uint32_t>(bytes.size() - start - 4);
  std::memcpy(bytes.data() + start, &length, sizeof length);
}

// The present table, if it has the one format that linkers make and unwinders search.
struct Present {
  std::uint64_t address = 0;
  std::uint64_t frames = 0; ///< address of .eh_frame
  std::uint32_t count = 0;
  ByteView entries;
};

std::optional<Present> present_table(const ElfView& elf) {
  const auto* segment = elf.segment(PT_GNU_EH_FRAME);
  if (!segment)
    return std::nullopt;
  Cursor cursor{elf.at(segment->p_vaddr), segment->p_vaddr};
  const auto version = cursor.u8(), frames = cursor.u8(), count = cursor.u8(), table = cursor.u8();
  if (version != 1 || count != dwarf::kUdata4 || table != (dwarf::kDataRelative | dwarf::kSdata4) ||
      frames != (dwarf::kRelative | dwarf::kSdata4))
    return std::nullopt;
  Present present;
  present.address = segment->p_vaddr;
  present.frames = cursor.pointer(frames);
  present.count = cursor.u32();
  if (!cursor.good())
    return std::nullopt;
  const auto bytes = elf.at(segment->p_vaddr);
  if (present.count > (bytes.size() - kHeaderLength) / kEntryLength)
    return std::nullopt;
  present.entries = bytes.subspan(kHeaderLength, present.count * kEntryLength);
  return present;
}

bool fits_32(std::uint64_t difference) {
  const auto value = static_cast<std::int64_t>(difference);
  return value >= std::numeric_limits<std::int32_t>::min() &&
         value <= std::numeric_limits<std::int32_t>::max();
}

// Code of ours: its own frame entry, with a row for each instruction.
struct Piece {
  std::uint64_t address, size;
  std::span<const Stubs::Row> rows;
};

// Appends the frame entry of a piece to `table`, which lies at `address`; gives its offset in the table.
std::size_t append_entry(Bytes& table, std::uint64_t address, std::size_t common, const Piece& piece) {
  const auto entry = table.size();
  append_32(table, 0);
  append_32(table, entry + 4 - common);
  append_32(table, piece.address - (address + table.size()));
  append_32(table, piece.size);
  table.push_back(0); // augmentation data
  auto place = piece.address;
  for (const auto& row : piece.rows) {
    append_advance(table, static_cast<std::uint32_t>(row.address - place));
    place = row.address;
    Bytes expression{kBaseRegister + kReturnAddress}; // the present address plus a constant
    append_sleb(expression, static_cast<std::int64_t>(row.resume - row.address));
    table.insert(table.end(),
                 {kValueExpression, kReturnAddress, static_cast<std::uint8_t>(expression.size())});
    table.insert(table.end(), expression.begin(), expression.end());
  }
  close_record(table, entry);
  return entry;
}

} // namespace

Bytes make_frame_table(const ElfView& elf, const Stubs& stubs, std::uint64_t address) {
  const auto present = present_table(elf);
  if (!present || stubs.rows.empty())
    return {};
  std::vector<Piece> pieces{{stubs.rows.front().address, stubs.code.size(), stubs.rows}};
  for (const auto& island : stubs.islands)
    pieces.push_back({island.address, kIslandLength, {&island, 1}});

  // The search table: places of code and of their frame entries, by place of code.
  struct Entry {
    std::uint64_t code, frame;
  };
  std::vector<Entry> entries;
  entries.reserve(present->count + pieces.size());
  for (std::size_t at = 0; at < present->entries.size(); at += kEntryLength) {
    const auto code = *load<std::int32_t>(present->entries, at),
               frame = *load<std::int32_t>(present->entries, at + 4);
    entries.push_back({present->address + static_cast<std::uint64_t>(std::int64_t{code}),
                       present->address + static_cast<std::uint64_t>(std::int64_t{frame})});
    if (entries.size() > 1 && entries.back().code < entries[entries.size() - 2].code)
      return {};
  }

  const auto start = kHeaderLength + (entries.size() + pieces.size()) * kEntryLength;
  Bytes table(start);
  table.insert(table.end(), {0,
                             0,
                             0,
                             0,
                             0,
                             0,
                             0,
                             0,
                             1,
                             'z',
                             'R',
                             0,
                             1,
                             0x78,
                             kReturnAddress,
                             1,
                             dwarf::kRelative | dwarf::kSdata4,
                             kDefineCfa,
                             kStackPointer,
                             0});
  close_record(table, start);
  const auto present_count = static_cast<std::ptrdiff_t>(entries.size());
  for (const auto& piece : pieces)
    entries.push_back({piece.address, address + append_entry(table, address, start, piece)});
  append_32(table, 0); // the end

  const auto by_code = [](const Entry& a, const Entry& b) { return a.code < b.code; };
  std::sort(entries.begin() + present_count, entries.end(), by_code);
  std::inplace_merge(entries.begin(), entries.begin() + present_count, entries.end(), by_code);
  Bytes header{1, dwarf::kRelative | dwarf::kSdata4, dwarf::kUdata4, dwarf::kDataRelative | dwarf::kSdata4};
  append_32(header, present->frames - (address + 4));
  append_32(header, entries.size());
  if (!fits_32(present->frames - (address + 4)))
    return {};
  for (const auto& entry : entries) {
    if (!fits_32(entry.code - address) || !fits_32(entry.frame - address))
      return {};
    append_32(header, entry.code - address);
    append_32(header, entry.frame - address);
  }
  std::copy(header.begin(), header.end(), table.begin());
  return table;
}

} // namespace ukl::rewrite
