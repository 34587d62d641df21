// SPDX-License-Identifier: GPL-2.0-only
// What the writer of a compressed image tells boot/unpack.cpp, which has no variables of its own.
#pragma once

namespace ukl {

/// Physical addresses and sizes in bytes, all below 4 GiB.
struct UnpackParameters {
  unsigned output; ///< where the kernel goes
  unsigned size;   ///< what it has there before its .bss
  unsigned input;  ///< a raw LZMA stream, without its five bytes of properties
  unsigned model;  ///< room for UnpackModel
};

/// The properties of the stream that are fixed here: literals are modelled by the upper bits of the byte
/// before, matches by the lower bits of the place.
inline constexpr unsigned kLiteralContextBits = 3, kPlaceBits = 2, kLiteralPlaceBits = 0;

/// How likely each bit of the stream is 0, of 2048.
struct UnpackModel {
  using Bit = unsigned short;
  struct Length {
    Bit beyond_low, beyond_middle, low[1 << kPlaceBits][8], middle[1 << kPlaceBits][8], high[256];
  };
  Bit is_match[12][1 << kPlaceBits], is_repeat[12], not_first[12], not_second[12], not_third[12],
      longer_than_one[12][1 << kPlaceBits];
  Bit slot[4][64], middle_distance[115], last_bits[16];
  Length length, repeat_length;
  Bit literal[1 << kLiteralContextBits][0x300];
};

/// Where the two files of code have the numbers that the writer fills in, and their second entry. The code
/// for 64 bits has the stack's end, where it goes on, and the parameters' address; that for 32 bits the first
/// two for the PVH entry and once more for that of Multiboot2, and the third for both.
inline constexpr unsigned kUnpackStack = 1, kUnpackNext = 6, kUnpackParameters64 = 11, kUnpackMultiboot = 32,
                          kUnpackParameters32 = 67;

} // namespace ukl
