// SPDX-License-Identifier: GPL-2.0-only
#include "../../init/clock.cpp" // NOLINT(bugprone-suspicious-include): init is a program of its own

#include <gtest/gtest.h>

namespace ukl::init {

// There is no control port here, and no clock is set.
std::string wait_for_message(std::string_view, int) {
  return {};
}
void report(const std::string&) {}
int control_descriptor() {
  return -1;
}

namespace {

TEST(ClockError, TakesTheMiddleOfTheExchange) {
  // Asked at 1000 and answered at 1400: the host's 50000 are those of 1200. At 1500 it has 50300.
  EXPECT_EQ(clock_error(50000, 1000, 1400, 1500, 50300), 0);
  EXPECT_EQ(clock_error(50000, 1000, 1400, 1500, 50000), 300);
  EXPECT_EQ(clock_error(50000, 1000, 1400, 1500, 51000), -700);
}

TEST(ClockCorrection, IsAsGentleAsItMayBe) {
  EXPECT_EQ(correction_for(3 * kMillisecond, 10 * kMillisecond, true), Correction::step);
  EXPECT_EQ(correction_for(1 * kMillisecond, 0, false), Correction::none);
  EXPECT_EQ(correction_for(-8 * kMillisecond, 9 * kMillisecond, false), Correction::none);
  EXPECT_EQ(correction_for(-8 * kMillisecond, kMillisecond, false), Correction::gradual);
  EXPECT_EQ(correction_for(20 * kSecond, kMillisecond, false), Correction::step);
  EXPECT_EQ(correction_for(-40 * kMillisecond, kMillisecond, false), Correction::step);
}

} // namespace
} // namespace ukl::init
