// SPDX-License-Identifier: GPL-2.0-only
#include "contents/environment_files.hpp"

#include <fstream>
#include <gmock/gmock.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(TimeZoneFile, IsLookedForWhereTheLibraryDoes) {
  EXPECT_EQ(time_zone_file({"TZ=Europe/Berlin"}), "/usr/share/zoneinfo/Europe/Berlin");
  EXPECT_EQ(time_zone_file({"TZ=:Europe/Berlin"}), "/usr/share/zoneinfo/Europe/Berlin");
  EXPECT_EQ(time_zone_file({"TZ=Asia/Tokyo", "TZ=:/srv/zone", "TZX=x"}), "/srv/zone");
  EXPECT_EQ(time_zone_file({"TZ=Here", "TZDIR=/srv/zones"}), "/srv/zones/Here");
  // A name that is none: it has to be said that it is missing.
  EXPECT_EQ(time_zone_file({"TZ=Nowhere"}), "/usr/share/zoneinfo/Nowhere");
}

TEST(TimeZoneFile, IsNotNeededForRules) {
  for (const char* zone : {"", "CET-1CEST", "<+03>-3", "XYZ5", "CET-1CEST,M3.5.0,M10.5.0/3", "UTC0"})
    EXPECT_EQ(time_zone_file({std::string("TZ=") + zone, "TZDIR=/nowhere"}), "") << zone;
  EXPECT_EQ(time_zone_file({"PATH=/bin"}), "");
}

TEST(EnvironmentFiles, TheZoneOfTzGoesIn) {
  if (!fs::exists("/usr/share/zoneinfo/Europe/Berlin"))
    GTEST_SKIP() << "this machine has no tzdata";
  RootTree tree;
  const auto missing = add_environment_files(tree, {"TZ=Europe/Berlin"});
  ASSERT_TRUE(missing);
  EXPECT_THAT(*missing, IsEmpty());
  EXPECT_NE(tree.find("/usr/share/zoneinfo/Europe/Berlin"), nullptr);
}

TEST(EnvironmentFiles, WhatIsMissingIsNamed) {
  RootTree tree;
  const auto missing =
      add_environment_files(tree, {"TZ=Mars/Olympus_Mons", "LC_ALL=xx_YY.UTF-8", "LANG=C", "LC_TIME=POSIX"});
  ASSERT_TRUE(missing);
  EXPECT_THAT(*missing, ElementsAre(HasSubstr("TZ=Mars/Olympus_Mons"), HasSubstr("xx_YY.UTF-8")));
  EXPECT_THAT(tree.entries(), IsEmpty());
}

TEST(EnvironmentFiles, WhatTheTreeHasStays) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/usr/share/zoneinfo/Europe/Berlin", text_entry("mine")));
  ASSERT_TRUE(tree.add("/usr/lib/locale/xx.utf8/LC_CTYPE", text_entry("mine")));
  const auto missing = add_environment_files(tree, {"TZ=Europe/Berlin", "LANG=xx.UTF-8"});
  ASSERT_TRUE(missing);
  EXPECT_THAT(*missing, IsEmpty());
  EXPECT_TRUE(tree.find("/usr/share/zoneinfo/Europe/Berlin")->host_path.empty());
}

// A tree with a C library and a program whose symbols are `text`.
RootTree tree_of(const fs::path& folder, const std::string& libc, const std::string& text) {
  std::ofstream(folder / "program", std::ios::binary) << text;
  RootTree tree;
  EXPECT_TRUE(tree.add("/lib/" + libc, text_entry("setlocale")));
  EXPECT_TRUE(tree.add("/bin/program", host_entry(folder / "program", 0755)));
  return tree;
}

TEST(StandardLocale, IsForProgramsThatAskForLocales) {
  if (!fs::exists("/usr/lib/locale/C.utf8"))
    GTEST_SKIP() << "this machine has no C.UTF-8";
  auto folder = TemporaryFolder::create("ukl-test");
  ASSERT_TRUE(folder);
  const std::string end(1, '\0');
  const auto gets = [&](const std::string& libc, const std::string& text) {
    auto tree = tree_of(folder->path(), libc, text);
    EXPECT_TRUE(add_standard_locale(tree));
    return tree.find("/usr/lib/locale/C.utf8/LC_CTYPE") != nullptr;
  };
  EXPECT_TRUE(gets("libc.so.6", "puts" + end + "setlocale" + end));
  EXPECT_TRUE(gets("libc.so.6", "__newlocale" + end));
  EXPECT_TRUE(gets("libc.so.6", "_ZNSt6localeC1EPKc" + end));
  EXPECT_FALSE(gets("libc.so.6", "puts" + end + "setlocale_not" + end));
  // musl has C.UTF-8 built in.
  EXPECT_FALSE(gets("ld-musl-x86_64.so.1", "setlocale" + end));
}

} // namespace
} // namespace ukl
