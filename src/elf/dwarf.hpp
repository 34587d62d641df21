// SPDX-License-Identifier: GPL-2.0-only
// Reading and writing the few encodings of DWARF that unwind tables use (DWARF 5 section 7.6; LSB Core,
// "DWARF Extensions", for the pointer encodings).
#pragma once

#include "elf/view.hpp"

namespace ukl::rewrite {

namespace dwarf {
inline constexpr std::uint8_t kAbsolute = 0x00;
inline constexpr std::uint8_t kFormatMask = 0x0f;
inline constexpr std::uint8_t kUleb = 0x01, kUdata2 = 0x02, kUdata4 = 0x03, kUdata8 = 0x04;
inline constexpr std::uint8_t kSleb = 0x09, kSdata2 = 0x0a, kSdata4 = 0x0b, kSdata8 = 0x0c;
inline constexpr std::uint8_t kRelative = 0x10;     ///< to the place where it is stored
inline constexpr std::uint8_t kDataRelative = 0x30; ///< to the table's start
inline constexpr std::uint8_t kIndirect = 0x80;
inline constexpr std::uint8_t kOmitted = 0xff;
} // namespace dwarf

/// Reads forward through `bytes`, which lie at `address` in memory. A read past the end gives 0 and makes it
/// bad.
class Cursor {
public:
  Cursor(ByteView bytes, std::uint64_t address) : bytes_(bytes), address_(address) {}

  bool good() const { return good_; }
  std::uint64_t offset() const { return offset_; }
  void skip(std::uint64_t count) {
    if (count > bytes_.size() - offset_)
      return fail();
    offset_ += count;
  }
  template <typename T> T read() {
    const auto value = load<T>(bytes_, offset_);
    if (!value) {
      fail();
      return 0;
    }
    offset_ += sizeof(T);
    return *value;
  }
  std::uint8_t u8() { return read<std::uint8_t>(); }
  std::uint32_t u32() { return read<std::uint32_t>(); }
  std::uint64_t uleb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; good_; shift += 7) {
      const auto byte = u8();
      if (shift < 64)
        value |= std::uint64_t{byte & 0x7fu} << shift;
      if (!(byte & 0x80))
        break;
    }
    return value;
  }
  std::int64_t sleb() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; good_; shift += 7) {
      const auto byte = u8();
      if (shift < 64)
        value |= std::uint64_t{byte & 0x7fu} << shift;
      if (!(byte & 0x80)) {
        if ((byte & 0x40) && shift + 7 < 64)
          value |= ~std::uint64_t{0} << (shift + 7);
        break;
      }
    }
    return static_cast<std::int64_t>(value);
  }
  /// A text ended by a NUL.
  std::string_view text() {
    const char* begin = reinterpret_cast<const char*>(bytes_.data()) + offset_;
    const auto length = strnlen(begin, bytes_.size() - offset_);
    if (length == bytes_.size() - offset_) {
      fail();
      return {};
    }
    offset_ += length + 1;
    return {begin, length};
  }
  /// A pointer in one of the encodings above; an indirect one gives the address of the pointer.
  std::uint64_t pointer(std::uint8_t encoding) {
    if (encoding == dwarf::kOmitted)
      return 0;
    const auto place = address_ + offset_;
    std::uint64_t value = 0;
    switch (encoding & dwarf::kFormatMask) {
    case dwarf::kUleb:
      value = uleb();
      break;
    case dwarf::kSleb:
      value = static_cast<std::uint64_t>(sleb());
      break;
    case dwarf::kUdata2:
      value = read<std::uint16_t>();
      break;
    case dwarf::kSdata2:
      value = static_cast<std::uint64_t>(std::int64_t{read<std::int16_t>()});
      break;
    case dwarf::kUdata4:
      value = read<std::uint32_t>();
      break;
    case dwarf::kSdata4:
      value = static_cast<std::uint64_t>(std::int64_t{read<std::int32_t>()});
      break;
    case dwarf::kAbsolute:
    case dwarf::kUdata8:
    case dwarf::kSdata8:
      value = read<std::uint64_t>();
      break;
    default:
      fail();
      return 0;
    }
    const auto application = encoding & 0x70;
    if (value == 0)
      return 0; // a null pointer in every encoding
    if (application == dwarf::kRelative)
      return value + place;
    if (application == 0)
      return value;
    fail(); // relative to text, data or function: not used by .eh_frame on x86-64
    return 0;
  }

private:
  void fail() {
    good_ = false;
    offset_ = bytes_.size();
  }
  ByteView bytes_;
  std::uint64_t address_;
  std::uint64_t offset_ = 0;
  bool good_ = true;
};

} // namespace ukl::rewrite
