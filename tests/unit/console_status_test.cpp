// SPDX-License-Identifier: GPL-2.0-only
#include "machine/console_status.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

constexpr std::string_view kThree = "\x1b_ukl status 3\x1b\\";

TEST(ConsoleStatus, IsTakenOutOfTheOutput) {
  ConsoleStatus status;
  EXPECT_EQ(status.take("hello\n" + std::string(kThree) + "more"), "hello\nmore");
  EXPECT_EQ(status.status(), 3);
}

TEST(ConsoleStatus, ComesInAnyPieces) {
  for (std::size_t first = 0; first <= kThree.size(); ++first)
    for (std::size_t second = first; second <= kThree.size(); ++second) {
      ConsoleStatus status;
      std::string shown = status.take("a" + std::string(kThree.substr(0, first)));
      shown += status.take(kThree.substr(first, second - first));
      shown += status.take(std::string(kThree.substr(second)) + "b");
      shown += status.rest();
      EXPECT_EQ(shown, "ab");
      EXPECT_EQ(status.status(), 3);
    }
}

TEST(ConsoleStatus, OtherSequencesStay) {
  for (const std::string text :
       {"\x1b[31mred\x1b[0m", "\x1b_other\x1b\\", "\x1b_ukl status x\x1b\\",
        "\x1b_ukl status 12345678901234567890\x1b\\", "\x1b", "\x1b_ukl status 5", "\x1b\x1b_ukl"}) {
    ConsoleStatus status;
    std::string shown = status.take(text);
    shown += status.rest();
    EXPECT_EQ(shown, text);
    EXPECT_FALSE(status.status());
  }
}

TEST(ConsoleStatus, SaysWhenTheProgramReads) {
  ConsoleStatus status;
  EXPECT_EQ(status.take("Linux\n"), "Linux\n");
  EXPECT_FALSE(status.ready());
  EXPECT_EQ(status.take("\x1b_ukl ready\x1b\\> "), "> ");
  EXPECT_TRUE(status.ready());
}

// The program's own may come before; the last one is init's.
TEST(ConsoleStatus, TheLastCounts) {
  ConsoleStatus status;
  status.take("\x1b_ukl status 0\x1b\\" + std::string(kThree));
  EXPECT_EQ(status.status(), 3);
}

} // namespace
} // namespace ukl
