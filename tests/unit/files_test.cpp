// SPDX-License-Identifier: GPL-2.0-only
#include "support/files.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

namespace ukl {
namespace {

TEST(AtomicFile, IsNotThereBeforeCommitAndLeavesNothingWithout) {
  auto folder = TemporaryFolder::create("files_test");
  ASSERT_TRUE(folder);
  {
    auto file = AtomicFile::create(folder->path() / "out", 0600);
    ASSERT_TRUE(file);
    EXPECT_FALSE(std::filesystem::exists(folder->path() / "out"));
  }
  EXPECT_TRUE(std::filesystem::is_empty(folder->path()));
  ASSERT_TRUE(write_text(folder->path() / "out", "text"));
  EXPECT_EQ(*read_text(folder->path() / "out"), "text");
}

TEST(AtomicFile, TakesNoDevicesPlace) {
  auto folder = *TemporaryFolder::create("files");
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  auto file = AtomicFile::create(pipe, 0600);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().failure, Failure::unwritable);
  EXPECT_NE(file.error().message.find("it is no file"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_fifo(pipe));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(AtomicFile, NamesTheFolderThatIsMissing) {
  auto file = AtomicFile::create("/nonexistent/out", 0600);
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().failure, Failure::unwritable);
}

TEST(Sha256, OfNothing) {
  EXPECT_EQ(sha256_hex(std::string_view()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

} // namespace
} // namespace ukl
