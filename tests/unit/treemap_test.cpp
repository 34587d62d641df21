// SPDX-License-Identifier: GPL-2.0-only
#include "image/treemap.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Treemap, EachPartHasItsShare) {
  const Part whole{"file", 4 << 20, {{"kernel", 3 << 20, {}}, {"files", 1 << 20, {{"/a<b", 1 << 20, {}}}}}};
  const auto picture = treemap({whole}, "x.ukl");
  EXPECT_THAT(picture, HasSubstr("file: 4.0 MiB"));
  EXPECT_THAT(picture,
              HasSubstr("<title>kernel: 3.0 MiB</title><rect x=\"20.0\" y=\"70.0\" width=\"719.0\""));
  // Names of files may hold anything.
  EXPECT_THAT(picture, HasSubstr("/a&lt;b"));
  EXPECT_THAT(picture, Not(HasSubstr("/a<b")));
}

TEST(Treemap, NothingIsAPictureToo) {
  EXPECT_THAT(treemap({{"file", 0, {}}}, "x"), HasSubstr("</svg>"));
  EXPECT_THAT(treemap({{"file", 0, {{"a", 0, {}}, {"b", 0, {}}}}}, "x"), Not(HasSubstr("nan")));
}

} // namespace
} // namespace ukl
