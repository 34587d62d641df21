// SPDX-License-Identifier: GPL-2.0-only
// What runs first in an image made with --compress: unpacks the kernel to where it would have been loaded,
// and goes on there as if nothing had happened. Compiled twice, for the two ways in which a loader enters:
// 32-bit protected mode without paging (the PVH entry, and Multiboot2's), and 64-bit mode with the low
// addresses mapped to themselves (Linux's own protocol, Documentation/x86/boot.rst). In all of them
// interrupts are off, segments are flat, and there is no stack that could be relied on; nobody can interrupt
// but an NMI, for which nobody is prepared yet. Memory behind what is loaded of a segment is zero, .bss
// therefore as it should be.
//
// The writer of the image fills in the numbers of 32 bits, at the offsets that unpack_parameters.hpp names:
// the end of our own stack, where to go on, and the parameters' address.
//
// The stream is LZMA's (specified in LZMA SDK's lzma-specification.txt): bits by a range coder, each with a
// model of its own that adapts.
#include "boot/unpack_parameters.hpp"

#if defined(__x86_64__)
// One entry: stack's end, where to go on (which `ret` takes from that stack), parameters. RSI, the address of
// Linux's boot parameters, is the next one's; no other register is. Interrupts off, GS nobody's.
asm(R"(
.section .start, "ax"
  mov $0, %esp
  .byte 0x68 # push, of four bytes
  .long 0
  mov $0, %edi
  push %rsi
  cld
  call unpack
  pop %rsi
  ret
.previous
)");
#else
// Two entries, PVH's and Multiboot2's, each with the stack's end and where to go on (which `ret` takes from
// that stack); behind both the parameters. All registers are the next one's, of which EAX and EBX say
// something. Interrupts off, GS flat like all segments.
asm(R"(
.section .start, "ax"
  mov $0, %esp
  .byte 0x68 # push, of four bytes
  .long 0
  jmp 1f
.balign 32
  mov $0, %esp
  .byte 0x68
  .long 0
.balign 64
1:
  pusha
  cld
  .byte 0x68
  .long 0
  call unpack
  add $4, %esp
  popa
  ret
.previous
)");
#endif

namespace {

using u8 = unsigned char;
using u32 = unsigned;
using Model = ukl::UnpackModel;
using Bit = Model::Bit;

constexpr u32 kModelBits = 11, kAdaption = 5, kLeastRange = 1 << 24;
constexpr u32 kLiteralStates = 7; // the states below are those after a literal
constexpr u32 kShortestMatch = 2;

template <typename T> T* at(u32 address) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): memory is named by addresses here
  return reinterpret_cast<T*>(static_cast<__UINTPTR_TYPE__>(address));
}

class Decoder {
public:
  explicit Decoder(const u8* input) : input_(input + 1) { // the first byte is always 0
    for (int i = 0; i < 4; ++i)
      code_ = code_ << 8 | *input_++;
  }

  u32 bit(Bit& likely) {
    const u32 bound = (range_ >> kModelBits) * likely;
    u32 result = 0;
    if (code_ < bound) {
      range_ = bound;
      likely = static_cast<Bit>(likely + (((1 << kModelBits) - likely) >> kAdaption));
    } else {
      range_ -= bound;
      code_ -= bound;
      likely = static_cast<Bit>(likely - (likely >> kAdaption));
      result = 1;
    }
    fill();
    return result;
  }

  // The highest bit first; each has a model for what came before it.
  u32 number(Bit* models, u32 bits) {
    u32 node = 1;
    for (u32 i = 0; i < bits; ++i)
      node = node << 1 | bit(models[node]);
    return node - (1u << bits);
  }

  // The lowest first.
  u32 reversed(Bit* models, u32 bits) {
    u32 node = 1, result = 0;
    for (u32 i = 0; i < bits; ++i) {
      const u32 one = bit(models[node]);
      node = node << 1 | one;
      result |= one << i;
    }
    return result;
  }

  // Bits that are 0 as often as 1.
  u32 plain(u32 bits) {
    u32 result = 0;
    for (u32 i = 0; i < bits; ++i) {
      range_ >>= 1;
      const u32 one = code_ >= range_;
      code_ -= one ? range_ : 0;
      result = result << 1 | one;
      fill();
    }
    return result;
  }

private:
  void fill() {
    if (range_ < kLeastRange) {
      range_ <<= 8;
      code_ = code_ << 8 | *input_++;
    }
  }

  const u8* input_;
  u32 range_ = 0xffffffff, code_ = 0;
};

u8 literal(Decoder& decoder, Bit* models, u32 state, u8 matched) {
  u32 symbol = 1;
  // After a match it is likely not the byte that would have continued it.
  if (state >= kLiteralStates)
    for (u32 rest = matched; symbol < 0x100;) {
      const u32 expected = rest >> 7 & 1;
      rest <<= 1;
      const u32 one = decoder.bit(models[((1 + expected) << 8) + symbol]);
      symbol = symbol << 1 | one;
      if (one != expected)
        break;
    }
  while (symbol < 0x100)
    symbol = symbol << 1 | decoder.bit(models[symbol]);
  return static_cast<u8>(symbol);
}

u32 length(Decoder& decoder, Model::Length& models, u32 place) {
  if (!decoder.bit(models.beyond_low))
    return decoder.number(models.low[place], 3);
  if (!decoder.bit(models.beyond_middle))
    return 8 + decoder.number(models.middle[place], 3);
  return 16 + decoder.number(models.high, 8);
}

u32 distance(Decoder& decoder, Model& model, u32 length) {
  const u32 slot = decoder.number(model.slot[length < 3 ? length : 3], 6);
  if (slot < 4)
    return slot;
  const u32 bits = (slot >> 1) - 1, high = (2 | (slot & 1)) << bits;
  if (slot < 14)
    return high + decoder.reversed(model.middle_distance + (high - slot), bits);
  const u32 middle = decoder.plain(bits - 4) << 4;
  return high + middle + decoder.reversed(model.last_bits, 4);
}

} // namespace

extern "C" [[gnu::used, gnu::visibility("hidden")]] void unpack(const ukl::UnpackParameters* parameters) {
  auto& model = *at<Model>(parameters->model);
  for (u32 i = 0; i < sizeof model / sizeof(Bit); ++i)
    reinterpret_cast<Bit*>(&model)[i] = 1 << (kModelBits - 1);
  Decoder decoder(at<const u8>(parameters->input));
  u8* const output = at<u8>(parameters->output);
  const u32 size = parameters->size;
  u32 state = 0, last[4] = {};
  for (u32 done = 0; done < size;) {
    const u32 place = done & ((1 << ukl::kPlaceBits) - 1);
    if (!decoder.bit(model.is_match[state][place])) {
      const u8 before = done ? output[done - 1] : 0;
      const u8 matched = state >= kLiteralStates ? output[done - last[0] - 1] : 0;
      output[done++] =
          literal(decoder, model.literal[before >> (8 - ukl::kLiteralContextBits)], state, matched);
      state = state < 4 ? 0 : state < 10 ? state - 3 : state - 6;
      continue;
    }
    u32 count = 0;
    if (!decoder.bit(model.is_repeat[state])) {
      last[3] = last[2];
      last[2] = last[1];
      last[1] = last[0];
      count = length(decoder, model.length, place);
      last[0] = distance(decoder, model, count);
      state = state < kLiteralStates ? 7 : 10;
    } else {
      bool one = false;
      if (!decoder.bit(model.not_first[state])) {
        one = !decoder.bit(model.longer_than_one[state][place]);
      } else {
        u32 which = 1;
        if (decoder.bit(model.not_second[state]))
          which = 2 + decoder.bit(model.not_third[state]);
        const u32 again = last[which];
        for (; which > 0; --which)
          last[which] = last[which - 1];
        last[0] = again;
      }
      if (one) {
        output[done] = output[done - last[0] - 1];
        ++done;
        state = state < kLiteralStates ? 9 : 11;
        continue;
      }
      count = length(decoder, model.repeat_length, place);
      state = state < kLiteralStates ? 8 : 11;
    }
    // The copy may overlap what it makes.
    for (count += kShortestMatch; count > 0 && done < size; --count, ++done)
      output[done] = output[done - last[0] - 1];
  }
}
