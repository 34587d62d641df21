// SPDX-License-Identifier: GPL-2.0-only
#include "calls/folded_calls.hpp"

#include <gtest/gtest.h>

namespace ukl {
namespace {

using Words = std::vector<std::string>;

TEST(FoldedCalls, NamesByKind) {
  CallTable table = {};
  for (const int number : {137, 163, 511})
    table[number] = CallKind::masked;
  table[0] = CallKind::full;
  const auto kinds = calls_by_kind(table);
  EXPECT_EQ(kinds.at("masked"), (Words{"511", "acct", "statfs"}));
  EXPECT_EQ(kinds.at("full"), Words{"read"});
  EXPECT_EQ(kinds.size(), 2u);
}

TEST(FoldedCalls, LinesAreNoWiderThanAsked) {
  EXPECT_EQ(folded("masked (4)", {"accept4", "acct", "add_key", "adjtimex"}, 24),
            "masked (4): accept4 acct\n    add_key adjtimex\n");
  EXPECT_EQ(folded("a", {"much_too_wide"}, 5), "a:\n    much_too_wide\n");
  EXPECT_EQ(folded("none", {}, 80), "none:\n");
}

} // namespace
} // namespace ukl
