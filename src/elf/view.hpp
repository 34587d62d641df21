// SPDX-License-Identifier: GPL-2.0-only
// An x86-64 ELF file, for everybody who reads one: headers copied out and checked, so that nothing that is
// based on this can read past an end, however damaged the file is. Layout: System V ABI, AMD64 supplement;
// <elf.h>.
#pragma once

#include "support/align.hpp"
#include "support/result.hpp"

#include <cstdint>
#include <cstring>
#include <elf.h>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ukl::rewrite {

using ByteView = std::span<const std::uint8_t>;

/// A `T` out of `bytes` at `offset`, or nothing if it does not lie within.
template <typename T> std::optional<T> load(ByteView bytes, std::uint64_t offset) {
  if (offset > bytes.size() || bytes.size() - offset < sizeof(T))
    return std::nullopt;
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

/// A run of bytes that is in the file and in memory.
struct Region {
  std::uint64_t address = 0;
  ByteView bytes;
  std::uint64_t end() const { return address + bytes.size(); }
  bool contains(std::uint64_t at) const { return at >= address && at < end(); }
};

struct Section {
  Elf64_Shdr header;
  std::string_view name;
  ByteView bytes; ///< empty for SHT_NOBITS
};

struct Symbol {
  std::uint64_t address;
  std::uint64_t size;
  std::string_view name;
};

/// The text at `offset` of a table of strings, up to its NUL or the table's end; empty outside of it.
std::string_view string_at(ByteView strings, std::uint64_t offset);

/// True if the bytes begin as any ELF file does.
bool begins_as_elf(ByteView bytes);

/// Where programs may lie, and where kernels may.
inline constexpr std::uint64_t kUserAddresses = 1ULL << 47, kAllAddresses = ~0ULL;

constexpr std::uint64_t page_up(std::uint64_t value) {
  return align_up(value, kPage);
}

struct ElfView {
  ByteView bytes;
  Elf64_Ehdr header;
  std::vector<Elf64_Phdr> segments;
  std::vector<Section> sections;  ///< empty if the file has none, or damaged ones
  std::vector<Region> executable; ///< by address: executable sections, or else executable segments; disjoint
  std::vector<Region> loaded;     ///< by address: file parts of all loaded segments; disjoint
  std::uint64_t memory_end = 0;   ///< first address behind all loaded segments
  bool text_relocations = false;  ///< DT_TEXTREL

  /// Reads an ELF file held in memory, to which the view refers; `name` is for messages. No segment may end
  /// above `addresses`. Errors: not_elf (no ELF file, a truncated or damaged one, an object file, a core
  /// dump), wrong_architecture (32 bits, or another machine than x86-64).
  static Result<ElfView> parse(ByteView bytes, const std::string& name,
                               std::uint64_t addresses = kUserAddresses);

  /// The file's bytes from `address` to the end of its segment's file part; empty if none is loaded there.
  ByteView at(std::uint64_t address) const;
  /// The bytes from `address` to the end of its executable region; empty if there is none.
  ByteView text_from(std::uint64_t address) const;
  /// The executable region around `address`, or null.
  const Region* text_at(std::uint64_t address) const;
  /// The first section of that name, or null.
  const Section* section(std::string_view name) const;
  const Elf64_Phdr* segment(std::uint32_t type) const;
  /// Functions and untyped labels in executable regions, sorted by address, then by size, largest first.
  std::vector<Symbol> symbols() const;
};

} // namespace ukl::rewrite
