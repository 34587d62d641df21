// SPDX-License-Identifier: GPL-2.0-only
#include "machine/boot_times.hpp"
#include "machine/bootchart.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

// The machine's counter counts microseconds, and the machine begins 100 ms after the tool.
BootRecord record_with(std::vector<std::string> lines) {
  const BootRecord::Time start{std::chrono::hours(1)};
  return {start,
          start + milliseconds(20),
          start + milliseconds(760),
          start + milliseconds(800),
          start + milliseconds(830),
          start + milliseconds(752),
          std::move(lines),
          1000};
}

std::vector<std::string> names(const std::vector<BootSpan>& spans) {
  std::vector<std::string> result;
  for (const auto& span : spans)
    result.push_back(span.name);
  return result;
}

TEST(BootTimes, PhasesFollowEachOtherAndAddUp) {
  const auto times = boot_times(record_with({"times 30000 550000 650000 652000"}));
  EXPECT_THAT(names(times.phases),
              ElementsAre("tool", "qemu", "firmware", "kernel", "init", "program", "end"));
  const double wanted[] = {20, 80, 30, 520, 100, 50, 30};
  double reached = 0;
  for (std::size_t index = 0; index < times.phases.size(); ++index) {
    EXPECT_NEAR(times.phases[index].duration, wanted[index], 0.001) << times.phases[index].name;
    EXPECT_NEAR(times.phases[index].start, reached, 0.001);
    reached += times.phases[index].duration;
  }
  EXPECT_NEAR(times.total, reached, 0.001);
  ASSERT_TRUE(times.first_output);
  EXPECT_NEAR(*times.first_output, 10, 0.001);
}

TEST(BootTimes, WhatWasNotSeenIsTheNextOnes) {
  // A kernel without our start code.
  EXPECT_THAT(names(boot_times(record_with({"times 0 550000 650000 652000"})).phases),
              ElementsAre("tool", "qemu", "kernel", "init", "program", "end"));
  // A machine that said nothing.
  auto silent = record_with({});
  silent.times_came = silent.first_output = silent.program_ended = std::nullopt;
  const auto times = boot_times(silent);
  EXPECT_THAT(names(times.phases), ElementsAre("tool", "end"));
  EXPECT_NEAR(times.phases[1].duration, 810, 0.001);
}

TEST(BootTimes, NonsenseFromTheMachineIsLeftOut) {
  for (const char* line :
       {"times", "times 1 2 3", "times 5 4 3 2", "times -1 x y z", "times 1 2 3 99999999999999999999"})
    EXPECT_THAT(names(boot_times(record_with({line})).phases), ElementsAre("tool", "machine", "end")) << line;
  // A counter that would have begun before the tool did: nothing gets a negative time.
  for (const auto& phase : boot_times(record_with({"times 1 2 3 99000000"})).phases)
    EXPECT_GE(phase.duration, 0) << phase.name;
  EXPECT_THAT(boot_times(record_with({"times 30000 550000 650000 652000", "clock 600000 500000",
                                      "initcall a 5 6", "initcall b", "initcall  1 2"}))
                  .initcalls,
              IsEmpty());
}

TEST(BootTimes, InitcallsStandAtTheirTime) {
  const auto times = boot_times(record_with({"times 30000 550000 650000 652000", "initcall late 400000 20000",
                                             "initcall early 210000 10000",
                                             // The log's clock began 100 ms after the counter.
                                             "clock 700000 600000"}));
  EXPECT_THAT(names(times.initcalls), ElementsAre("early", "late"));
  EXPECT_NEAR(times.initcalls[0].start, 100 + 100 + 200, 0.001);
  EXPECT_NEAR(times.initcalls[0].duration, 10, 0.001);
  EXPECT_NEAR(times.initcalls[1].start, 100 + 100 + 380, 0.001);
}

TEST(BootTimes, AreDescribedWithEveryPhase) {
  const auto text = describe(boot_times(record_with({"times 30000 550000 650000 652000"})));
  for (const char* part :
       {"tool", "qemu", "firmware", "kernel        520.0 ms", "first output after 10.0 ms", "all"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(Bootchart, ShowsPhasesAndTheLongestInitcalls) {
  std::vector<std::string> lines = {"times 30000 550000 650000 652000", "clock 700000 600000",
                                    "initcall longest 400000 90000"};
  for (int call = 0; call < 100; ++call)
    lines.push_back("initcall short" + std::to_string(call) + " " + std::to_string(100000 + call) + " 10");
  const auto picture = bootchart(boot_times(record_with(lines)), "a<b>&c.ukl");
  EXPECT_THAT(picture, HasSubstr("a&lt;b&gt;&amp;c.ukl"));
  EXPECT_THAT(picture, HasSubstr(">longest<"));
  EXPECT_THAT(picture, HasSubstr("90.0 ms"));
  EXPECT_THAT(picture, HasSubstr("56 others took 0.6 ms"));
  EXPECT_THAT(picture, HasSubstr("first output after 10.0 ms"));
  // Without initcalls, and without anything.
  EXPECT_THAT(bootchart(boot_times(record_with({"times 1 2 3 4"})), "x"), Not(HasSubstr("initcalls")));
  EXPECT_THAT(bootchart({}, "x"), HasSubstr("</svg>"));
}

} // namespace
} // namespace ukl
