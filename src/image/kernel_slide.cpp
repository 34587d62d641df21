// SPDX-License-Identifier: GPL-2.0-only
#include "image/kernel_slide.hpp"
#include "boot/slide_parameters.hpp"
#include "image/pvh_entry.hpp"
#include "support/align.hpp"
#include "ukl/run_settings.hpp"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <fmt/format.h>

// The code as it was linked (boot/slide.lds).
asm(R"(
.pushsection .rodata
.globl ukl_slide_code, ukl_slide_code_end
.hidden ukl_slide_code, ukl_slide_code_end
ukl_slide_code:
.incbin ")" UKL_SLIDE_CODE R"("
ukl_slide_code_end:
.popsection
)");
extern "C" const std::uint8_t ukl_slide_code[], ukl_slide_code_end[];

namespace ukl {
namespace {

constexpr std::uint64_t kKernelMap = 0xffffffff80000000; ///< __START_KERNEL_map
constexpr std::uint64_t kLargestImage = 1 << 30;         ///< KERNEL_IMAGE_SIZE, bytes
constexpr std::uint64_t kPvhEntrySize = 1024;            ///< bytes that its code takes at most

static_assert(sizeof(RunSettingsHeader) == kSettingsHeader && kRunSettingsMagic == kSettingsMagic);

bool lies_in(const KernelElf& kernel, std::uint64_t address, std::uint64_t size) {
  return std::ranges::any_of(kernel.segments, [&](const KernelSegment& segment) {
    return address >= segment.physical_address && size <= segment.contents.size() &&
           address - segment.physical_address <= segment.contents.size() - size;
  });
}

// See slide_parameters.hpp.
Result<void> encode(const KernelElf& kernel, const std::vector<std::uint64_t>& places, std::uint64_t size,
                    std::uint64_t start, Bytes& bytes) {
  std::uint64_t before = start;
  for (const auto place : places) {
    const auto address = place - kKernelMap;
    if (address < before || !lies_in(kernel, address, size))
      return Error{Failure::not_elf,
                   fmt::format("the kernel {} is damaged: its relocations lie outside of it ({:#x})",
                               kernel.name, place),
                   "remove it and run: ukl kernel build"};
    auto distance = address - before;
    for (; distance >= 0x80; distance >>= 7)
      bytes.push_back(static_cast<std::uint8_t>(distance | 0x80));
    bytes.push_back(static_cast<std::uint8_t>(distance));
    before = address;
  }
  return {};
}

} // namespace

std::uint64_t slide_positions(std::uint64_t start, std::uint64_t end) {
  const auto last = align_up(end, kSlideStep);
  if (start % kSlideStep != 0 || end <= start || last > kLargestImage)
    return 1;
  return 1 + (kLargestImage - last) / kSlideStep;
}

Result<std::uint64_t> let_slide(KernelElf& kernel, const KernelRelocations& relocations) {
  const auto start =
      std::ranges::min_element(kernel.segments, {}, &KernelSegment::physical_address)->physical_address;
  const auto positions = slide_positions(start, kernel.memory_end);
  const auto pvh = pvh_entry(kernel);
  if (!relocations.obstacle.empty() || positions == 1 || !pvh)
    return 1;
  const auto jump = std::ranges::find_if(relocations.of_entry, [&](std::uint64_t place) {
    return place - kKernelMap >= *pvh && place - kKernelMap - *pvh < kPvhEntrySize;
  });
  if (jump == relocations.of_entry.end())
    return 1;

  const auto address = align_up(kernel.memory_end, kPage);
  Bytes contents(ukl_slide_code, ukl_slide_code_end);
  SlideParameters parameters = {};
  parameters.start = start;
  parameters.entry = kernel.entry;
  parameters.positions = positions;
  parameters.places = address + contents.size();
  parameters.kinds[0] = relocations.wide.size();
  parameters.kinds[1] = relocations.narrow.size();
  parameters.kinds[2] = relocations.inverse.size();
  TRY(encode(kernel, relocations.wide, 8, start, contents));
  for (const auto* places : {&relocations.narrow, &relocations.inverse})
    TRY(encode(kernel, *places, 4, start, contents));
  parameters.scratch = align_up(address + contents.size(), kPage);
  std::memcpy(&contents[kSlideParametersOffset], &parameters, sizeof parameters);

  // The PVH entry goes on here and not at the kernel's own.
  TRY(add_in_kernel(kernel, *jump, static_cast<std::uint32_t>(address - kernel.entry)));
  const auto end = parameters.scratch + kSlideScratch;
  // It runs where it lies, and so is its virtual address: GRUB looks by these for the segment of the entry.
  kernel.segments.push_back({address, address, end - address, PF_R | PF_W | PF_X, std::move(contents)});
  kernel.entry = address;
  kernel.memory_end = end;
  return positions;
}

} // namespace ukl
