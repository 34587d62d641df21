// SPDX-License-Identifier: GPL-2.0-only
#include "image/multiboot.hpp"
#include "image/boot_code.hpp"
#include "image/pvh_entry.hpp"
#include "support/align.hpp"

#include <array>
#include <cstring>
#include <elf.h>

// The code as it was linked (boot/slide.lds).
asm(R"(
.pushsection .rodata
.globl ukl_multiboot_code, ukl_multiboot_code_end
.hidden ukl_multiboot_code, ukl_multiboot_code_end
ukl_multiboot_code:
.incbin ")" UKL_MULTIBOOT_CODE R"("
ukl_multiboot_code_end:
.popsection
)");
extern "C" const std::uint8_t ukl_multiboot_code[], ukl_multiboot_code_end[];

namespace ukl {
namespace {

// Where the code's instructions have their numbers. Multiboot's: mov $, %esp; mov $, %edi; push $.
constexpr std::size_t kStackAt = 1, kStartInfoAt = 6, kPvhEntryAt = 11;
// The guard's (boot/xen_guard.cpp): mov $, %esp; push $.
constexpr std::size_t kGuard = 64, kGuardStackAt = kGuard + 1, kGuardedAt = kGuard + 6;

// Behind the code, in the same page: the hvm_start_info, and the stack from the page's end downwards.
constexpr std::uint64_t kStartInfo = 2048;

} // namespace

std::uint32_t let_multiboot(KernelElf& kernel) {
  const auto pvh = pvh_entry(kernel);
  if (!pvh)
    return 0;
  const auto address = align_up(kernel.memory_end, kPage);
  Bytes code(ukl_multiboot_code, ukl_multiboot_code_end);
  put_number(code, kStackAt, address + kPage);
  put_number(code, kStartInfoAt, address + kStartInfo);
  if (speaks_xen(kernel)) {
    put_number(code, kPvhEntryAt, *pvh);
  } else {
    put_number(code, kPvhEntryAt, address + kGuard);
    put_number(code, kGuardStackAt, address + kPage);
    put_number(code, kGuardedAt, *pvh);
    set_pvh_entry(kernel, address + kGuard);
  }
  kernel.segments.push_back({address, address, kPage, PF_R | PF_W | PF_X, std::move(code)});
  kernel.memory_end = address + kPage;
  return static_cast<std::uint32_t>(address);
}

Bytes multiboot_header(std::uint32_t entry) {
  constexpr std::uint32_t architecture = 0; // i386
  constexpr std::uint32_t entry_tag = 3, entry_size = 12, end_size = 8;
  std::array<std::uint32_t, 10> words = {kMultibootMagic, architecture, 0, 0, entry_tag,
                                         entry_size,      entry,        0, 0, end_size};
  words[2] = sizeof words;
  words[3] = 0 - (words[0] + words[1] + words[2]);
  Bytes header(sizeof words);
  std::memcpy(header.data(), words.data(), sizeof words);
  return header;
}

} // namespace ukl
