// SPDX-License-Identifier: GPL-2.0-only
#include "image/compressed_kernel.hpp"
#include "boot/unpack_parameters.hpp"
#include "image/boot_code.hpp"
#include "image/pvh_entry.hpp"
#include "support/align.hpp"
#include "support/interrupt.hpp"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <lzma.h>
#include <memory>

// The code as it was linked (boot/slide.lds).
asm(R"(
.pushsection .rodata
.globl ukl_unpack64, ukl_unpack64_end, ukl_unpack32, ukl_unpack32_end
.hidden ukl_unpack64, ukl_unpack64_end, ukl_unpack32, ukl_unpack32_end
ukl_unpack64:
.incbin ")" UKL_UNPACK64_CODE R"("
ukl_unpack64_end:
ukl_unpack32:
.incbin ")" UKL_UNPACK32_CODE R"("
ukl_unpack32_end:
.popsection
)");
extern "C" const std::uint8_t ukl_unpack64[], ukl_unpack64_end[], ukl_unpack32[], ukl_unpack32_end[];

namespace ukl {
namespace {

constexpr std::uint64_t kStack = 4096;   ///< bytes
constexpr std::size_t kStep = 256 << 10; ///< bytes between two looks at who waits

// What the segments hold, as it will lie in memory, from `start` on.
Bytes in_memory(const KernelElf& kernel, std::uint64_t start) {
  Bytes flat;
  for (const auto& segment : kernel.segments) {
    const auto at = segment.physical_address - start;
    if (!segment.contents.empty())
      flat.resize(std::max<std::size_t>(flat.size(), at + segment.contents.size()));
    std::ranges::copy(segment.contents, flat.begin() + static_cast<std::ptrdiff_t>(at));
  }
  return flat;
}

Result<Bytes> compress(const Bytes& bytes, Reporter& reporter) {
  lzma_options_lzma options = {};
  lzma_lzma_preset(&options, 6);
  options.dict_size = std::max<std::uint32_t>(static_cast<std::uint32_t>(bytes.size()), LZMA_DICT_SIZE_MIN);
  options.lc = kLiteralContextBits;
  options.lp = kLiteralPlaceBits;
  options.pb = kPlaceBits;
  const lzma_filter filters[] = {{LZMA_FILTER_LZMA1, &options}, {LZMA_VLI_UNKNOWN, nullptr}};
  lzma_stream encoder = LZMA_STREAM_INIT;
  const std::unique_ptr<lzma_stream, decltype(&lzma_end)> ends(&encoder, lzma_end);
  Bytes stream(lzma_stream_buffer_bound(bytes.size()));
  encoder.next_in = bytes.data();
  encoder.next_out = stream.data();
  encoder.avail_out = stream.size();
  const auto progress = reporter.progress("compressing the kernel", bytes.size());
  auto result = lzma_raw_encoder(&encoder, filters);
  while (result == LZMA_OK) {
    if (interrupted())
      return Error{Failure::interrupted, "interrupted while packing; nothing was left behind", ""};
    progress->update(encoder.total_in);
    encoder.avail_in = std::min<std::size_t>(bytes.size() - encoder.total_in, kStep);
    const bool last = encoder.total_in + encoder.avail_in == bytes.size();
    result = lzma_code(&encoder, last ? LZMA_FINISH : LZMA_RUN);
  }
  if (result != LZMA_STREAM_END)
    return Error{Failure::internal, "cannot compress the kernel: no memory", "leave out --compress"};
  progress->update(bytes.size());
  stream.resize(encoder.total_out);
  return stream;
}

} // namespace

Result<KernelElf> compress_kernel(KernelElf kernel, std::uint64_t address, Reporter& reporter) {
  const auto start =
      std::ranges::min_element(kernel.segments, {}, &KernelSegment::physical_address)->physical_address;
  const Bytes flat = in_memory(kernel, start);
  TRY_LET(const auto stream, compress(flat, reporter));

  Bytes contents(ukl_unpack64, ukl_unpack64_end);
  const auto code32 = align_up(contents.size(), 64);
  contents.resize(code32);
  contents.insert(contents.end(), ukl_unpack32, ukl_unpack32_end);
  const auto parameters_at = align_up(contents.size(), 16),
             stream_at = parameters_at + sizeof(UnpackParameters);
  contents.resize(stream_at);
  contents.insert(contents.end(), stream.begin(), stream.end());
  const auto model_at = align_up(contents.size(), 16);
  const auto size = align_up(model_at + sizeof(UnpackModel) + kStack, kPage);

  const auto low = [](std::uint64_t value) { return static_cast<unsigned>(value); };
  const UnpackParameters parameters = {low(start), low(flat.size()), low(address + stream_at),
                                       low(address + model_at)};
  std::memcpy(&contents[parameters_at], &parameters, sizeof parameters);
  const auto fill_in = [&](std::size_t code, std::uint64_t next) {
    put_number(contents, code + kUnpackStack, address + size);
    put_number(contents, code + kUnpackNext, next);
  };
  fill_in(0, kernel.entry);
  put_number(contents, kUnpackParameters64, address + parameters_at);
  fill_in(code32, pvh_entry(kernel).value_or(0));
  fill_in(code32 + kUnpackMultiboot, kernel.multiboot_entry);
  put_number(contents, code32 + kUnpackParameters32, address + parameters_at);

  for (auto& segment : kernel.segments)
    segment.contents.clear();
  kernel.segments.push_back({address, address, size, PF_R | PF_W | PF_X, std::move(contents)});
  kernel.entry = address;
  set_pvh_entry(kernel, address + code32);
  if (kernel.multiboot_entry != 0)
    kernel.multiboot_entry = static_cast<std::uint32_t>(address + code32 + kUnpackMultiboot);
  kernel.memory_end = address + size;
  return kernel;
}

} // namespace ukl
