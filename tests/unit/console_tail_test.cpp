// SPDX-License-Identifier: GPL-2.0-only
#include "machine/console_tail.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::HasSubstr;

TEST(ConsoleTail, NamesTheReasonOfAPanic) {
  ConsoleTail tail;
  tail.add("some output\n[    1.0] Kernel panic - not syncing: Attempted to kill");
  tail.add(" init! exitcode=0x0000000b\r\n[    1.1] CPU: 0\r\n");
  const Error error = tail.explain("a.ukl", {}, 256 << 20).error;
  EXPECT_EQ(error.failure, Failure::machine);
  EXPECT_EQ(error.message, "the kernel of a.ukl panicked: Attempted to kill init! exitcode=0x0000000b");
}

TEST(ConsoleTail, KnowsAMachineThatIsTooSmall) {
  for (const char* text :
       {"Initramfs unpacking failed: write error\nKernel panic - not syncing: No working init found.",
        "Kernel panic - not syncing: System is deadlocked on memory"}) {
    ConsoleTail tail;
    tail.add(text);
    const Error error = tail.explain("a.ukl", {}, 256 << 20).error;
    EXPECT_EQ(error.failure, Failure::too_little_memory) << text;
    EXPECT_THAT(error.hint, HasSubstr("-m"));
  }
}

TEST(ConsoleTail, PassesOnWhatQemuSaid) {
  const QemuEnd qemu{"qemu-system-x86_64: warning: x\nqemu-system-x86_64: -device y: no such device\n", 1,
                     ""};
  const Error error = ConsoleTail().explain("a.ukl", qemu, 256 << 20).error;
  EXPECT_EQ(error.failure, Failure::machine);
  EXPECT_EQ(error.message, "QEMU ended: -device y: no such device");
}

TEST(ConsoleTail, SaysThatNothingIsKnown) {
  const Error error = ConsoleTail().explain("a.ukl", {}, 256 << 20).error;
  EXPECT_EQ(error.failure, Failure::machine);
  EXPECT_THAT(error.message, HasSubstr("without a status"));
}

// The same in a few words, for a list of machines.
TEST(ConsoleTail, HasASentenceForEachEnd) {
  ConsoleTail panicked;
  panicked.add("[    1.0] Kernel panic - not syncing: oh no\r\n");
  EXPECT_EQ(panicked.explain("a.ukl", {"", 137, "guest-reset"}, 1 << 20).sentence, "Kernel panic: oh no");
  EXPECT_EQ(ConsoleTail().explain("a.ukl", {"", 137, ""}, 1 << 20).sentence, "Killed by the host");
  EXPECT_THAT(ConsoleTail().explain("a.ukl", {"x: Assertion", 134, ""}, 1 << 20).error.message,
              HasSubstr("signal 6"));
  EXPECT_EQ(ConsoleTail().explain("a.ukl", {"", 0, "guest-reset"}, 1 << 20).sentence, "Reset without a word");
  EXPECT_EQ(ConsoleTail().explain("a.ukl", {}, 1 << 20).sentence, "Ended without a status");
}

TEST(ConsoleTail, KeepsOnlyTheEnd) {
  ConsoleTail tail;
  tail.add("Kernel panic - not syncing: old\n");
  for (int count = 0; count < 100; ++count)
    tail.add(std::string(1000, 'x'));
  tail.add("end");
  EXPECT_LE(tail.text().size(), 16384u);
  EXPECT_TRUE(tail.text().ends_with("end"));
  EXPECT_THAT(tail.explain("a.ukl", {}, 256 << 20).error.message, HasSubstr("without a status"));
}

TEST(ConsoleTail, SeesThatMemoryRanOut) {
  ConsoleTail tail;
  EXPECT_EQ(tail.out_of_memory(240 << 20), "");
  tail.add("ukl-init: the machine ran out of memory: Killed process 30 (python3)\n");
  EXPECT_EQ(tail.out_of_memory(240 << 20), "Out of memory in the guest: python3, 240 MiB");
}

// More than it had, whatever that was.
TEST(ConsoleTail, AsksForMoreMemoryThanThereWas) {
  ConsoleTail tail;
  tail.add("Kernel panic - not syncing: System is deadlocked on memory\n");
  EXPECT_THAT(tail.explain("a.ukl", {}, 600ull << 20).error.hint, HasSubstr("-m 1200M"));
}

} // namespace
} // namespace ukl
