// SPDX-License-Identifier: GPL-2.0-only
#include "machine/line_watch.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

std::shared_ptr<LineWatch> watch_for(const std::string& expression) {
  auto watch = LineWatch::create(expression);
  EXPECT_TRUE(watch) << expression;
  return watch ? *watch : nullptr;
}

TEST(LineWatch, FindsALineThatComesInPieces) {
  const auto watch = watch_for("^ready on port [0-9]+$");
  EXPECT_FALSE(watch->take(1, "not ready on port 1\nready on"));
  EXPECT_FALSE(watch->take(2, " port 7\n")); // another stream
  EXPECT_FALSE(watch->seen());
  EXPECT_TRUE(watch->take(1, " port 80\nmore"));
  EXPECT_TRUE(watch->seen());
  EXPECT_FALSE(watch->take(1, "ready on port 81\n")); // once
}

TEST(LineWatch, FindsAPromptAndAPartOfALine) {
  EXPECT_TRUE(watch_for("> $")->take(3, "mysql> "));
  EXPECT_TRUE(watch_for("Running on")->take(2, " * Running on http://10.0.2.15:5000\n"));
}

TEST(LineWatch, LooksAtTheBeginningOfALineWithoutEnd) {
  const auto watch = watch_for("x{10}y");
  for (int i = 0; i < 100; ++i)
    EXPECT_FALSE(watch->take(1, std::string(65536, 'x')));
  EXPECT_TRUE(watch->take(1, "\nxxxxxxxxxxy"));
}

TEST(LineWatch, RefusesWhatIsNoExpression) {
  const auto watch = LineWatch::create("(");
  ASSERT_FALSE(watch);
  EXPECT_EQ(watch.error().failure, Failure::usage);
}

} // namespace
} // namespace ukl
