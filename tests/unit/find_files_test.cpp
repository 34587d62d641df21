// SPDX-License-Identifier: GPL-2.0-only
#include "machine/find_files.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(FindFiles, TellsWhatThisMachineHas) {
  const auto found =
      sort_missing({"f/etc/../etc/passwd", "f/etc/passwd", "f/no/such/file", "d/no/such/folder", "f/proc/1/x",
                    "d/run/a.pid", "f/usr", "f", "x", "frelative", "f/"});
  EXPECT_THAT(found.here, ElementsAre("/etc/passwd"));
  EXPECT_THAT(found.large, ElementsAre("/usr"));
  EXPECT_THAT(found.nowhere, ElementsAre("/no/such/folder"));
}

TEST(FindFiles, AFolderThatIsThereIsNotNowhere) {
  const auto found = sort_missing({"d/etc"});
  EXPECT_THAT(found.nowhere, IsEmpty());
}

} // namespace
} // namespace ukl
