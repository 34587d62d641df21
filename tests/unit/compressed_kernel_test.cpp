// SPDX-License-Identifier: GPL-2.0-only
// A compressed kernel unpacks to what would have been loaded: boot/unpack.cpp is linked into this test, and
// runs on memory at the kernel's own addresses. That it boots: tests/boot/small.boot.
#include "boot/unpack_parameters.hpp"
#include "image/compressed_kernel.hpp"
#include "image/pvh_entry.hpp"
#include "image/write.hpp"
#include "sample_files.hpp"
#include "support/interrupt.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>
#include <elf.h>
#include <random>
#include <sys/mman.h>

extern "C" void unpack(const ukl::UnpackParameters* parameters);

namespace ukl {
namespace {

constexpr std::uint64_t kMap = 0xffffffff80000000, kStart = 0x20000000, kAddress = kStart + (12 << 20);

Bytes pvh_note(std::uint64_t entry) {
  Bytes note(24);
  const std::uint32_t words[] = {4, 8, 18, 0x006e6558}; // sizes of name and description, type, "Xen"
  std::memcpy(note.data(), words, sizeof words);
  std::memcpy(&note[16], &entry, sizeof entry);
  return note;
}

// Code, a gap, numbers, noise, and .bss.
KernelElf sample() {
  auto code = *read_file("/proc/self/exe");
  code.resize(std::min<std::size_t>(code.size(), 3 << 20));
  Bytes numbers(100000), noise(70001);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    numbers[i] = static_cast<std::uint8_t>(i % 3 == 0 ? i / 100 : 0);
  std::mt19937 random(1);
  for (auto& byte : noise)
    byte = static_cast<std::uint8_t>(random());
  KernelElf kernel;
  kernel.name = "sample";
  kernel.entry = kStart + 512;
  std::uint64_t at = kStart;
  for (auto* contents : {&code, &numbers, &noise}) {
    const std::uint64_t size = contents->size() + 5000;
    kernel.segments.push_back({kMap + at, at, size, PF_R | PF_X, *contents});
    at += (size + 0x1fffff) / 0x200000 * 0x200000;
  }
  kernel.notes = {pvh_note(kStart + 100)};
  kernel.memory_end = at;
  kernel.multiboot_entry = kStart + 200;
  kernel.symbols = {{"phys_initrd_start", kMap + kStart + 16}, {"phys_initrd_size", kMap + kStart + 24}};
  return kernel;
}

std::uint32_t number_at(const Bytes& bytes, std::size_t at) {
  std::uint32_t number = 0;
  std::memcpy(&number, &bytes.at(at), sizeof number);
  return number;
}

class CompressedKernel : public FolderTest {};

TEST_F(CompressedKernel, UnpacksToWhatWouldHaveBeenLoaded) {
  const auto kernel = sample();
  const auto compressed = compress_kernel(kernel, kAddress);
  ASSERT_TRUE(compressed) << compressed.error().message;
  const auto& unpacker = compressed->segments.back();
  EXPECT_EQ(unpacker.physical_address, kAddress);
  EXPECT_LT(unpacker.contents.size(), 2u << 20);
  EXPECT_EQ(compressed->memory_end, kAddress + unpacker.memory_size);
  ASSERT_EQ(compressed->segments.size(), kernel.segments.size() + 1);

  const auto size = compressed->memory_end - kStart;
  // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel's physical addresses
  auto* wanted = reinterpret_cast<void*>(kStart);
  auto* memory = static_cast<std::uint8_t*>(
      mmap(wanted, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0));
  ASSERT_EQ(memory, wanted) << "those addresses are taken in this process";
  for (const auto& segment : compressed->segments)
    std::ranges::copy(segment.contents, memory + (segment.physical_address - kStart));
  const auto parameters = number_at(unpacker.contents, kUnpackParameters64);
  unpack(reinterpret_cast<const UnpackParameters*>(memory + (parameters - kStart)));
  for (std::size_t i = 0; i < kernel.segments.size(); ++i) {
    const auto& before = kernel.segments[i];
    const auto* after = memory + (before.physical_address - kStart);
    EXPECT_TRUE(std::ranges::equal(before.contents, std::span(after, before.contents.size()))) << i;
    const std::span bss(after + before.contents.size(), before.memory_size - before.contents.size());
    EXPECT_TRUE(std::ranges::all_of(bss, [](std::uint8_t byte) { return byte == 0; })) << i;
  }
  munmap(memory, size);
}

// Each way in goes on to the kernel's own.
TEST_F(CompressedKernel, KeepsItsEntries) {
  const auto kernel = sample();
  const auto compressed = compress_kernel(kernel, kAddress);
  ASSERT_TRUE(compressed);
  const auto& code = compressed->segments.back().contents;
  EXPECT_EQ(compressed->entry, kAddress);
  EXPECT_EQ(number_at(code, kUnpackNext), kernel.entry);
  const auto pvh = pvh_entry(*compressed).value() - kAddress;
  EXPECT_EQ(number_at(code, pvh + kUnpackNext), kStart + 100);
  const auto multiboot = compressed->multiboot_entry - kAddress;
  EXPECT_EQ(number_at(code, multiboot + kUnpackNext), kernel.multiboot_entry);
  EXPECT_EQ(number_at(code, pvh + kUnpackParameters32), number_at(code, kUnpackParameters64));
  for (const auto entry : {std::uint64_t{0}, pvh, multiboot})
    EXPECT_EQ(number_at(code, entry + kUnpackStack), compressed->memory_end);

  auto plain = kernel;
  plain.multiboot_entry = 0;
  EXPECT_EQ(compress_kernel(plain, kAddress)->multiboot_entry, 0u);
}

// It takes seconds: whoever waits is told, and may have enough of it.
TEST_F(CompressedKernel, EndsWithCtrlC) {
  catch_interrupts();
  raise(SIGINT);
  const auto image =
      write_image(at("image"), sample(), {{"format", kImageFormat}}, {}, Bytes(100, 'p'), {0600, true});
  clear_interrupt();
  ASSERT_FALSE(image);
  EXPECT_EQ(image.error().failure, Failure::interrupted) << image.error().message;
  EXPECT_TRUE(std::filesystem::is_empty(at(""))) << "something was left behind";
}

TEST_F(CompressedKernel, ItsImageSaysTheSame) {
  const Manifest manifest = {{"format", kImageFormat}};
  ASSERT_TRUE(write_image(at("plain"), sample(), manifest, {}, Bytes(100, 'p')));
  ASSERT_TRUE(write_image(at("small"), sample(), manifest, {}, Bytes(100, 'p'), {0600, true}));
  const auto plain = read_image(at("plain")), small = read_image(at("small"));
  ASSERT_TRUE(plain && small) << small.error().message;
  EXPECT_FALSE(plain->compressed);
  EXPECT_TRUE(small->compressed);
  EXPECT_EQ(small->kernel_size, plain->kernel_size);
  EXPECT_EQ(small->payload_address, plain->payload_address);
  EXPECT_GT(small->memory_end, plain->memory_end);
  EXPECT_LT(small->file_size, plain->file_size);
  EXPECT_TRUE(small->multiboot);
  ASSERT_TRUE(write_image(at("again"), sample(), manifest, {}, Bytes(100, 'p'), {0600, true}));
  EXPECT_EQ(*read_file(at("again")), *read_file(at("small")));
}

} // namespace
} // namespace ukl
