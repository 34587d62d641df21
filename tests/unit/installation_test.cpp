// SPDX-License-Identifier: GPL-2.0-only
#include "support/files.hpp"
#include "support/installation.hpp"

#include <gtest/gtest.h>

namespace ukl {
namespace {

TEST(Installation, UklHomeWins) {
  const auto found = find_installation("/opt/ukl/bin/ukl", "/elsewhere");
  EXPECT_EQ(found.init, "/elsewhere/ukl-init");
  EXPECT_EQ(found.kernel, "/elsewhere/kernel");
  EXPECT_EQ(found.include, "/elsewhere/include");
}

TEST(Installation, ABuildFolderNamesItsSourceTree) {
  auto folder = TemporaryFolder::create("installation_test");
  ASSERT_TRUE(folder);
  ASSERT_TRUE(write_text(folder->path() / "CMakeCache.txt",
                         "# comment\nA:STRING=1\nCMAKE_HOME_DIRECTORY:INTERNAL=/the/source\nB:STRING=2\n"));
  const auto found = find_installation(folder->path() / "ukl", "");
  EXPECT_EQ(found.init, folder->path() / "ukl-init");
  EXPECT_EQ(found.kernel, "/the/source/kernel");
}

TEST(Installation, ShareBesideTheBinFolder) {
  auto folder = TemporaryFolder::create("installation_test");
  ASSERT_TRUE(folder);
  std::filesystem::create_directories(folder->path() / "share/ukl");
  EXPECT_EQ(find_installation(folder->path() / "bin/ukl", "").init, folder->path() / "share/ukl/ukl-init");
}

TEST(Installation, ThisTestFindsItsOwnTree) {
  EXPECT_TRUE(std::filesystem::exists(find_installation().kernel / "profiles/base.config"));
}

} // namespace
} // namespace ukl
