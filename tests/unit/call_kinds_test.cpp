// SPDX-License-Identifier: GPL-2.0-only
#include "call_kinds.hpp"
#include "ukl/gate.h"

#include <fstream>
#include <gtest/gtest.h>

namespace ukl {
namespace {

TEST(CallKinds, TakesNamesAndNumbersAndTheLastChoiceWins) {
  auto records = choose_call_kinds({"getpid:full", "3:masked", "getpid:direct"});
  ASSERT_TRUE(records);
  EXPECT_EQ(*records, (Manifest{{"syscall", "3:masked"}, {"syscall", "39:direct"}}));
}

TEST(CallKinds, AllIsEveryCallOfTheGate) {
  auto records = choose_call_kinds({"all:full", "read:direct"});
  ASSERT_TRUE(records);
  ASSERT_EQ(records->size(), static_cast<std::size_t>(UKL_GATE_CALLS));
  EXPECT_EQ(records->at(0).second, "0:direct");
  EXPECT_EQ(records->at(1).second, "1:full");
}

TEST(CallKinds, RefusesWhatItDoesNotKnow) {
  for (const char* wrong : {"getpid", "getpid:quick", "nonsense:full", "464:full", ":full", "-1:full", ""}) {
    auto records = choose_call_kinds({wrong});
    ASSERT_FALSE(records) << wrong;
    EXPECT_EQ(records.error().failure, Failure::usage);
  }
}

TEST(CallKinds, TheShortcutsAreThoseOfTheKernel) {
  auto records = choose_call_kinds(tcp_shortcut_choices());
  ASSERT_TRUE(records);
  std::ifstream header(UKL_SOURCE_DIR "/kernel/files/arch/x86/include/asm/ukl_shortcuts.h");
  Manifest kernel;
  for (std::string line; std::getline(header, line);)
    if (line.starts_with("UKL_SHORTCUT("))
      kernel.emplace_back(key::syscall, line.substr(13, line.find(',') - 13) + ":shortcut");
  EXPECT_EQ(*records, kernel);
}

} // namespace
} // namespace ukl
