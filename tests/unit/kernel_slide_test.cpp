// SPDX-License-Identifier: GPL-2.0-only
// A kernel that was moved is the kernel that would have been linked elsewhere, byte for byte. That it boots:
// tests/boot/kaslr.boot.
#include "../../boot/slide_parameters.hpp"
#include "image/kernel_slide.hpp"
#include "image/write.hpp"
#include "sample_files.hpp"

#include <cstring>
#include <elf.h>
#include <fmt/format.h>

namespace ukl {
namespace {

constexpr std::uint64_t kMap = 0xffffffff80000000, kStart = 0x1000000;

// A kernel in small with every kind of place that Linux has: pointers, addresses inside instructions,
// physical ones, per-CPU variables from both sides, addresses in notes, and symbols that a linker script
// defines. `slide` is by how much its addresses are higher than where it lies.
void make_kernel(const std::filesystem::path& output, std::uint64_t slide, bool with_relocations = true) {
  const auto script = output.string() + ".lds";
  ASSERT_TRUE(write_text(script, fmt::format(R"(
    PHDRS {{ text PT_LOAD; data PT_LOAD; percpu PT_LOAD; init PT_LOAD; note PT_NOTE; }}
    ENTRY(phys_startup)
    offset = 0xffffffff80000000 + {1:#x};
    SECTIONS {{
      . = {0:#x};
      phys_startup = ABSOLUTE(startup - offset);
      .text : AT(ADDR(.text) - offset) {{ *(.text*) *(.rodata*) }} :text
      .notes : AT(ADDR(.notes) - offset) {{ *(.notes) }} :text :note
      . = ALIGN(0x200000);
      .data : AT(ADDR(.data) - offset) {{ *(.data .data.pointers) }} :data
      . = ALIGN(0x1000);
      __per_cpu_load = .;
      .data..percpu 0 : AT(__per_cpu_load - offset) {{ *(.data..percpu) }} :percpu
      . = __per_cpu_load + SIZEOF(.data..percpu);
      . = ALIGN(0x1000);
      .initial : AT(ADDR(.initial) - offset) {{ *(.initial) }} :init
      outside = ABSOLUTE(.);
      .bss : AT(ADDR(.bss) - offset) {{ *(.bss*) }} :init
      /DISCARD/ : {{ *(.eh_frame*) *(.comment) *(.note.*) }}
    }})",
                                             kMap + kStart + slide, slide)));
  const char* source = R"(
    unsigned long phys_initrd_start __attribute__((section(".data"))) = 1;
    unsigned long phys_initrd_size __attribute__((section(".data"))) = 2;
    unsigned char zeroes[12345];
    extern char outside[];
    int function(int);
    __attribute__((section(".data..percpu"))) unsigned long counter = 7;
    __attribute__((section(".data..percpu"))) void* owner = &zeroes;
    __attribute__((section(".data.pointers"))) void* pointers[] = {&function, zeroes + 100, pointers, outside, &counter};
    asm(".section .text.head,\"ax\"\n"
        ".globl startup\nstartup: jmp startup\n"
        "pvh: mov $startup - 0xffffffff80000000, %rax\n jmp *%rax\n"
        ".text\n incl counter(%rip)\n mov $counter, %rcx\n mov $zeroes, %rdx\n mov pointers(,%rax,8), %rbx\n"
        ".byte 0\n.long zeroes - 0xffffffff80000000\n"
        ".section .notes,\"a\",@note\n .align 4\n .long 4, 8, 18\n .asciz \"Xen\"\n .quad pvh - 0xffffffff80000000\n"
        ".section .initial,\"aw\"\n.quad function\n.text");
    static int table(int n) { switch (n) { case 0: return 5; case 1: return 77; case 2: return -3; case 3: return 12;
      case 4: return 1; case 5: return 99; } return 0; }
    int function(int n) { return table(n) + (int)counter; }
  )";
  std::vector<std::string> options = {"-nostdlib",
                                      "-static",
                                      "-no-pie",
                                      "-fno-pie",
                                      "-mcmodel=kernel",
                                      "-Wl,--build-id=none",
                                      "-Wl,-z,max-page-size=4096",
                                      "-Wl,--no-warn-rwx-segments",
                                      "-T",
                                      script};
  if (with_relocations)
    options.emplace_back("-Wl,--emit-relocs");
  compile_sample(output, source, options);
}

Result<KernelElf> read_kernel(const std::filesystem::path& path) {
  return read_kernel_elf(path, kKernelSymbols);
}

// What boot/slide.cpp does, to the contents of the kernel's segments.
void apply(KernelElf& kernel, const KernelSegment& code, std::uint64_t slide) {
  SlideParameters parameters;
  std::memcpy(&parameters, &code.contents[kSlideParametersOffset], sizeof parameters);
  std::size_t at = parameters.places - code.physical_address;
  for (int kind = 0; kind < 3; ++kind) {
    std::uint64_t place = parameters.start;
    for (auto count = parameters.kinds[kind]; count > 0; --count) {
      for (unsigned shift = 0;; shift += 7) {
        const auto byte = code.contents.at(at++);
        place += static_cast<std::uint64_t>(byte & 0x7f) << shift;
        if (byte < 0x80)
          break;
      }
      const auto size = kind == 0 ? 8u : 4u;
      for (auto& segment : kernel.segments) {
        const auto inside = place - segment.physical_address;
        if (place < segment.physical_address || inside + size > segment.contents.size())
          continue;
        std::uint64_t value = 0;
        std::memcpy(&value, &segment.contents[inside], size);
        value += kind == 2 ? -slide : slide;
        std::memcpy(&segment.contents[inside], &value, size);
      }
    }
  }
  EXPECT_EQ(at, code.contents.size()) << "something follows the places";
}

class KernelSlide : public FolderTest {};

TEST_F(KernelSlide, MovedIsLinkedElsewhere) {
  make_kernel(at("here"), 0);
  auto relocations = read_kernel_relocations(at("here"));
  ASSERT_TRUE(relocations) << relocations.error().message;
  EXPECT_EQ(relocations->obstacle, "");
  EXPECT_EQ(relocations->inverse.size(), 2u) << "counter is used twice relative to the instruction";
  auto kernel = read_kernel(at("here"));
  ASSERT_TRUE(kernel);
  auto sliding = *kernel;
  auto positions = let_slide(sliding, *relocations);
  ASSERT_TRUE(positions) << positions.error().message;
  EXPECT_EQ(*positions, slide_positions(kStart, kernel->memory_end));
  EXPECT_GT(*positions, 490u);
  const auto& code = sliding.segments.back();
  for (const std::uint64_t slide : {kSlideStep, 100 * kSlideStep, (*positions - 1) * kSlideStep}) {
    make_kernel(at("there"), slide);
    auto there = read_kernel(at("there"));
    ASSERT_TRUE(there) << there.error().message;
    auto moved = *kernel;
    apply(moved, code, slide);
    ASSERT_EQ(moved.segments.size(), there->segments.size());
    EXPECT_EQ(there->entry, kernel->entry);
    for (std::size_t i = 0; i < moved.segments.size(); ++i) {
      EXPECT_EQ(moved.segments[i].physical_address, there->segments[i].physical_address);
      if (i > 0) { // the first holds the notes, which loaders read before
        EXPECT_EQ(moved.segments[i].contents, there->segments[i].contents) << "segment " << i;
        continue;
      }
      const auto text_size = moved.segments[0].contents.size() - kernel->notes[0].size();
      EXPECT_TRUE(std::equal(moved.segments[0].contents.begin(),
                             moved.segments[0].contents.begin() + static_cast<std::ptrdiff_t>(text_size),
                             there->segments[0].contents.begin()));
      EXPECT_TRUE(
          std::equal(moved.segments[0].contents.end() - static_cast<std::ptrdiff_t>(kernel->notes[0].size()),
                     moved.segments[0].contents.end(), kernel->notes[0].begin()));
    }
    EXPECT_NE(moved.segments[0].contents, kernel->segments[0].contents);
  }
}

TEST_F(KernelSlide, BothEntriesLeadToTheCode) {
  make_kernel(at("vmlinux"), 0);
  auto kernel = read_kernel(at("vmlinux"));
  auto relocations = read_kernel_relocations(at("vmlinux"));
  ASSERT_TRUE(kernel && relocations);
  const auto before = *kernel;
  auto positions = let_slide(*kernel, *relocations);
  ASSERT_TRUE(positions);
  const auto& code = kernel->segments.back();
  EXPECT_EQ(kernel->entry, code.physical_address);
  EXPECT_GE(code.physical_address, before.memory_end);
  EXPECT_GE(code.memory_size, code.contents.size() + kSlideScratch);
  ASSERT_EQ(relocations->of_entry.size(), 1u);
  const auto place = relocations->of_entry[0] - kMap - kStart;
  std::uint32_t target = 0;
  std::memcpy(&target, &kernel->segments[0].contents[place], sizeof target);
  EXPECT_EQ(target, code.physical_address) << "the PVH entry's last jump";
  std::memcpy(&target, &before.segments[0].contents[place], sizeof target);
  EXPECT_EQ(target, before.entry);

  ASSERT_TRUE(write_image(at("image"), *kernel, {{"format", kImageFormat}}, {}, Bytes(100, 'p')));
  auto info = read_image(at("image"));
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_EQ(info->positions, *positions);
  EXPECT_GE(info->payload_address, code.physical_address + code.memory_size);
  ASSERT_TRUE(write_image(at("fixed"), before, {{"format", kImageFormat}}, {}, Bytes(100, 'p')));
  EXPECT_EQ(read_image(at("fixed"))->positions, 1u);
}

TEST_F(KernelSlide, WithoutRelocationsItStays) {
  make_kernel(at("vmlinux"), 0, false);
  auto kernel = read_kernel(at("vmlinux"));
  auto relocations = read_kernel_relocations(at("vmlinux"));
  ASSERT_TRUE(kernel && relocations);
  EXPECT_NE(relocations->obstacle.find("without its relocations"), std::string::npos);
  const auto entry = kernel->entry;
  const auto segments = kernel->segments.size();
  auto positions = let_slide(*kernel, *relocations);
  ASSERT_TRUE(positions);
  EXPECT_EQ(*positions, 1u);
  EXPECT_EQ(kernel->entry, entry);
  EXPECT_EQ(kernel->segments.size(), segments);
}

// The first section of relocations, that of .text, changed in place.
template <typename Change> void change_relocations(const std::filesystem::path& path, Change change) {
  auto file = read_file(path);
  ASSERT_TRUE(file);
  Elf64_Ehdr header;
  std::memcpy(&header, file->data(), sizeof header);
  for (unsigned i = 0; i < header.e_shnum; ++i) {
    Elf64_Shdr section;
    std::memcpy(&section, &(*file)[header.e_shoff + i * sizeof section], sizeof section);
    if (section.sh_type != SHT_RELA || section.sh_size == 0)
      continue;
    for (auto at = section.sh_offset; at < section.sh_offset + section.sh_size; at += sizeof(Elf64_Rela)) {
      Elf64_Rela relocation;
      std::memcpy(&relocation, &(*file)[at], sizeof relocation);
      change(relocation);
      std::memcpy(&(*file)[at], &relocation, sizeof relocation);
    }
    break;
  }
  ASSERT_TRUE(write_text(path, std::string(file->begin(), file->end())));
}

TEST_F(KernelSlide, WhatIsNotUnderstoodIsLeftAlone) {
  make_kernel(at("vmlinux"), 0);
  change_relocations(at("vmlinux"), [](Elf64_Rela& one) {
    one.r_info = ELF64_R_INFO(ELF64_R_SYM(one.r_info), R_X86_64_16);
  });
  auto relocations = read_kernel_relocations(at("vmlinux"));
  ASSERT_TRUE(relocations);
  EXPECT_NE(relocations->obstacle.find("type 12"), std::string::npos) << relocations->obstacle;
  change_relocations(at("vmlinux"), [](Elf64_Rela& one) { one.r_info = ELF64_R_INFO(1 << 24, R_X86_64_64); });
  expect_error(read_kernel_relocations(at("vmlinux")), Failure::not_elf, "names no symbol");
  expect_error(read_kernel_relocations(at("nothing")), Failure::not_found, "nothing");
}

TEST_F(KernelSlide, PlacesOutsideOfTheKernelAreAnError) {
  make_kernel(at("vmlinux"), 0);
  change_relocations(at("vmlinux"), [](Elf64_Rela& one) {
    if (ELF64_R_TYPE(one.r_info) == R_X86_64_32)
      one.r_offset = kMap + kStart - 8;
  });
  auto kernel = read_kernel(at("vmlinux"));
  auto relocations = read_kernel_relocations(at("vmlinux"));
  ASSERT_TRUE(kernel && relocations);
  expect_error(let_slide(*kernel, *relocations), Failure::not_elf, "outside of it");
}

TEST_F(KernelSlide, Positions) {
  const std::uint64_t mebibyte = 1 << 20;
  EXPECT_EQ(slide_positions(2 * mebibyte, 20 * mebibyte), 503u);
  EXPECT_EQ(slide_positions(2 * mebibyte, 20 * mebibyte + 1), 502u);
  EXPECT_EQ(slide_positions(2 * mebibyte, 1024 * mebibyte), 1u);
  EXPECT_EQ(slide_positions(2 * mebibyte, 1025 * mebibyte), 1u);
  EXPECT_EQ(slide_positions(1 * mebibyte, 20 * mebibyte), 1u) << "not on a large page";
}

} // namespace
} // namespace ukl
