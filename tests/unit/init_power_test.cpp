// SPDX-License-Identifier: GPL-2.0-only
#include "../../init/power.cpp" // NOLINT(bugprone-suspicious-include): init is a program of its own

#include <gtest/gtest.h>

namespace ukl::init {

// can_switch_off() is not called here. Weak, since tests of other parts of init bring one, too.
[[gnu::weak]] std::string read_whole(const char*) {
  return {};
}

namespace {

std::string fadt(std::size_t size, bool reduced, bool control, bool status) {
  std::string table(size, '\0');
  if (reduced)
    table[114] = 0x10;
  if (control)
    table[249] = 0x60;
  if (status)
    table[261] = 0x60;
  return table;
}

TEST(SoftOff, NeedsTheObject) {
  EXPECT_TRUE(has_soft_off(fadt(244, false, false, false), {"DSDT", "SSDT_S5_x"}));
  EXPECT_FALSE(has_soft_off(fadt(244, false, false, false), {"DSDT", "SSDT_S4_"}));
  EXPECT_FALSE(has_soft_off(fadt(244, false, false, false), {}));
}

TEST(SoftOff, NeedsTheRegistersOfReducedHardware) {
  EXPECT_TRUE(has_soft_off(fadt(276, true, true, true), {"_S5_"}));
  EXPECT_FALSE(has_soft_off(fadt(276, true, true, false), {"_S5_"}));
  EXPECT_FALSE(has_soft_off(fadt(276, true, false, true), {"_S5_"}));
  // A table that ends before them.
  EXPECT_FALSE(has_soft_off(fadt(244, true, false, false), {"_S5_"}));
}

} // namespace
} // namespace ukl::init
