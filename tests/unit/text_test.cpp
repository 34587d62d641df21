// SPDX-License-Identifier: GPL-2.0-only
#include "support/text.hpp"

#include <gtest/gtest.h>

namespace ukl {
namespace {

TEST(Text, PercentSigns) {
  EXPECT_EQ(percent_decoded("a%20b%2Fc"), "a b/c");
  EXPECT_EQ(percent_decoded("100%, %4, %zz"), "100%, %4, %zz");
}

TEST(Text, Xml) {
  EXPECT_EQ(xml_escaped("a<b>&\"c\"\n"), "a&lt;b&gt;&amp;\"c\" ");
}

TEST(Text, LastLine) {
  EXPECT_EQ(last_line("one\ntwo\r\n\n"), "two");
  EXPECT_EQ(last_line(""), "");
}

TEST(Text, PlainNames) {
  for (const auto* name : {"a", "web-1", "A_b.c", "9"})
    EXPECT_TRUE(is_plain_name(name)) << name;
  for (const auto* name : {"", "-a", ".a", "_a", "a/b", "a b", "\xc3\xa4"})
    EXPECT_FALSE(is_plain_name(name)) << name;
  EXPECT_TRUE(is_plain_name(std::string(63, 'a')));
  EXPECT_FALSE(is_plain_name(std::string(64, 'a')));
}

TEST(PlainName, IsMadeOfAnyText) {
  EXPECT_EQ(plain_name("my site (2)", "x"), "my-site--2-");
  EXPECT_EQ(plain_name("..hidden", "x"), "hidden");
  EXPECT_EQ(plain_name("\xc3\xa4", "x"), "x");
  EXPECT_EQ(plain_name(std::string(100, 'a'), "x").size(), kLongestPlainName);
  EXPECT_TRUE(is_plain_name(plain_name("/ a", "x")));
}

} // namespace
} // namespace ukl
