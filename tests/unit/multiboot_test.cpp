// SPDX-License-Identifier: GPL-2.0-only
// Who enters an image where. That GRUB boots it: tests/boot/everywhere.boot.
#include "image/multiboot.hpp"
#include "image/pvh_entry.hpp"

#include <cstring>
#include <elf.h>
#include <gtest/gtest.h>

namespace ukl {
namespace {

constexpr std::uint64_t kEntry = 0x1234560;

void add_note(Bytes& notes, std::uint32_t type, const Bytes& description, const char* owner = "Xen") {
  const Elf64_Nhdr header{4, static_cast<Elf64_Word>(description.size()), type};
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(&header);
  notes.insert(notes.end(), bytes, bytes + sizeof header);
  notes.insert(notes.end(), owner, owner + 4);
  notes.insert(notes.end(), description.begin(), description.end());
  notes.resize((notes.size() + 3) / 4 * 4);
}

Bytes number(std::uint64_t value, std::size_t size) {
  Bytes bytes(size);
  std::memcpy(bytes.data(), &value, size);
  return bytes;
}

// Its PVH entry is named by a number of this many bytes, behind a note of somebody else's of the same type.
KernelElf kernel_with(std::size_t size) {
  KernelElf kernel;
  kernel.notes.emplace_back();
  add_note(kernel.notes.back(), 18, {1, 2, 3, 4}, "GNU");
  add_note(kernel.notes.back(), 18, number(kEntry, size));
  kernel.memory_end = 0x2000001;
  return kernel;
}

std::uint32_t word(const KernelSegment& segment, std::size_t at) {
  std::uint32_t value = 0;
  std::memcpy(&value, &segment.contents.at(at), sizeof value);
  return value;
}

TEST(Multiboot, GuardStandsInFrontOfAKernelWithoutXen) {
  for (const std::size_t size : {4u, 8u}) {
    auto kernel = kernel_with(size);
    EXPECT_FALSE(speaks_xen(kernel));
    const auto entry = let_multiboot(kernel);
    EXPECT_EQ(entry, 0x2001000u);
    EXPECT_EQ(kernel.memory_end, 0x2002000u);
    const auto guard = *pvh_entry(kernel);
    EXPECT_EQ(guard, entry + 64);
    const auto& code = kernel.segments.back();
    // mov $, %esp and push $, of the guard; what it is in front of, and the stack's end.
    EXPECT_EQ(code.contents.at(64), 0xbc);
    EXPECT_EQ(word(code, 65), entry + 4096);
    EXPECT_EQ(code.contents.at(69), 0x68);
    EXPECT_EQ(word(code, 70), kEntry);
    // GRUB comes by it too.
    EXPECT_EQ(word(code, 11), guard);
    // The hvm_start_info lies at 2048.
    EXPECT_LE(code.contents.size(), 2048u);
  }
}

TEST(Multiboot, KernelWithXenIsEnteredAsItIs) {
  auto kernel = kernel_with(8);
  add_note(kernel.notes.back(), 5, number(0x2d6e6578, 8));
  ASSERT_TRUE(speaks_xen(kernel));
  const auto notes = kernel.notes;
  const auto entry = let_multiboot(kernel);
  EXPECT_NE(entry, 0u);
  EXPECT_EQ(kernel.notes, notes);
  EXPECT_EQ(word(kernel.segments.back(), 11), kEntry);
}

TEST(Multiboot, NeedsAPvhEntry) {
  KernelElf kernel;
  kernel.memory_end = 0x2000000;
  EXPECT_EQ(let_multiboot(kernel), 0u);
  EXPECT_TRUE(kernel.segments.empty());
  // A note that is cut off, and one of another owner.
  kernel = kernel_with(8);
  kernel.notes.back().resize(kernel.notes.back().size() - 1);
  EXPECT_FALSE(pvh_entry(kernel));
  set_pvh_entry(kernel, 1);
  EXPECT_EQ(let_multiboot(kernel), 0u);
}

} // namespace
} // namespace ukl
