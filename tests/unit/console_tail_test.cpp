// SPDX-License-Identifier: GPL-2.0-only
#include "console_tail.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::HasSubstr;

TEST(ConsoleTail, NamesTheReasonOfAPanic) {
  ConsoleTail tail;
  tail.add("some output\n[    1.0] Kernel panic - not syncing: Attempted to kill");
  tail.add(" init! exitcode=0x0000000b\r\n[    1.1] CPU: 0\r\n");
  const Error error = tail.explain("a.ukl", "");
  EXPECT_EQ(error.failure, Failure::machine);
  EXPECT_EQ(error.message, "the kernel of a.ukl panicked: Attempted to kill init! exitcode=0x0000000b");
}

TEST(ConsoleTail, KnowsAMachineThatIsTooSmall) {
  for (const char* text :
       {"Initramfs unpacking failed: write error\nKernel panic - not syncing: No working init found.",
        "Kernel panic - not syncing: System is deadlocked on memory"}) {
    ConsoleTail tail;
    tail.add(text);
    const Error error = tail.explain("a.ukl", "");
    EXPECT_EQ(error.failure, Failure::too_little_memory) << text;
    EXPECT_THAT(error.hint, HasSubstr("-m"));
  }
}

TEST(ConsoleTail, PassesOnWhatQemuSaid) {
  const Error error = ConsoleTail().explain(
      "a.ukl", "qemu-system-x86_64: warning: x\nqemu-system-x86_64: -device y: no such device\n");
  EXPECT_EQ(error.failure, Failure::machine);
  EXPECT_EQ(error.message, "QEMU ended: -device y: no such device");
}

TEST(ConsoleTail, SaysThatNothingIsKnown) {
  const Error error = ConsoleTail().explain("a.ukl", "");
  EXPECT_EQ(error.failure, Failure::machine);
  EXPECT_THAT(error.message, HasSubstr("without a status"));
}

TEST(ConsoleTail, KeepsOnlyTheEnd) {
  ConsoleTail tail;
  tail.add("Kernel panic - not syncing: old\n");
  for (int count = 0; count < 100; ++count)
    tail.add(std::string(1000, 'x'));
  tail.add("end");
  EXPECT_LE(tail.text().size(), 16384u);
  EXPECT_TRUE(tail.text().ends_with("end"));
  EXPECT_THAT(tail.explain("a.ukl", "").message, HasSubstr("without a status"));
}

TEST(ConsoleTail, SeesThatMemoryRanOut) {
  ConsoleTail tail;
  EXPECT_FALSE(tail.out_of_memory());
  tail.add("ukl-init: the machine ran out of memory: Killed process 30 (python3)\n");
  EXPECT_TRUE(tail.out_of_memory());
}

} // namespace
} // namespace ukl
