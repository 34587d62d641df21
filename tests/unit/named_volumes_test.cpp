// SPDX-License-Identifier: GPL-2.0-only
#include "machine/named_volumes.hpp"
#include "machine/options.hpp"
#include "support/process.hpp"

#include <fstream>
#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::HasSubstr;

class NamedVolumes : public testing::Test {
protected:
  TemporaryFolder scratch_ = *TemporaryFolder::create("volumes");
  std::filesystem::path folder_ = scratch_.path() / "volumes";

  void SetUp() override {
    if (!std::filesystem::exists("/usr/sbin/mke2fs") && !std::filesystem::exists("/sbin/mke2fs"))
      GTEST_SKIP() << "mke2fs (e2fsprogs) is not installed";
  }
};

TEST_F(NamedVolumes, AreMadeAndListed) {
  ASSERT_TRUE(create_volume(folder_, "data", 64 << 20, {}));
  const auto volumes = named_volumes(folder_);
  ASSERT_EQ(volumes.size(), 1u);
  EXPECT_EQ(volumes[0].name, "data");
  EXPECT_EQ(volumes[0].size, 64u << 20);
  EXPECT_LT(volumes[0].used, 32u << 20); // sparse
  EXPECT_FALSE(volumes[0].in_use);
  EXPECT_EQ(create_volume(folder_, "data", 64 << 20, {}).error().failure, Failure::name_in_use);
  EXPECT_EQ(create_volume(folder_, "../x", 64 << 20, {}).error().failure, Failure::usage);
  EXPECT_EQ(create_volume(folder_, "small", 1, {}).error().failure, Failure::usage);
  EXPECT_EQ(create_volume(folder_, "x", 64 << 20, "/nowhere").error().failure, Failure::not_found);
  EXPECT_EQ(named_volumes(folder_).size(), 1u); // nothing half-made is left
}

TEST_F(NamedVolumes, BeginWithAFolder) {
  std::filesystem::create_directories(scratch_.path() / "tree");
  std::ofstream(scratch_.path() / "tree" / "file") << "text";
  ASSERT_TRUE(create_volume(folder_, "data", 16 << 20, scratch_.path() / "tree"));
  const auto shown = run_command({"/usr/sbin/debugfs", "-R", "cat /file", (folder_ / "data.ext4").string()});
  EXPECT_THAT(shown->text, HasSubstr("text"));
  std::ofstream(scratch_.path() / "tree" / "large") << std::string(40 << 20, 'x');
  const auto full = create_volume(folder_, "full", 16 << 20, scratch_.path() / "tree");
  ASSERT_FALSE(full);
  EXPECT_EQ(named_volumes(folder_).size(), 1u);
}

TEST_F(NamedVolumes, AreForOneMachineAtATime) {
  ASSERT_TRUE(create_volume(folder_, "data", 16 << 20, {}));
  const auto volume = parse_named_volume(folder_, "data:/var/lib/data");
  ASSERT_TRUE(volume && *volume);
  EXPECT_TRUE((*volume)->named);
  EXPECT_EQ((*volume)->guest, "/var/lib/data");
  {
    const auto held = take_volume(**volume);
    ASSERT_TRUE(held) << held.error().message;
    EXPECT_EQ(take_volume(**volume).error().failure, Failure::volume_in_use);
    EXPECT_TRUE(named_volumes(folder_)[0].in_use);
    EXPECT_EQ(remove_volume(folder_, "data").error().failure, Failure::volume_in_use);
  }
  EXPECT_TRUE(copy_volume(folder_, "data", "copy"));
  EXPECT_TRUE(remove_volume(folder_, "data"));
  EXPECT_EQ(remove_volume(folder_, "data").error().failure, Failure::not_found);
  EXPECT_EQ(named_volumes(folder_)[0].name, "copy");
}

TEST_F(NamedVolumes, ADamagedOneIsRefused) {
  ASSERT_TRUE(create_volume(folder_, "data", 16 << 20, {}));
  const auto volume = parse_named_volume(folder_, "data:/data");
  {
    std::fstream file(folder_ / "data.ext4", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(1024 + 0x3a);
    file << '\2'; // its state: it has errors; and so the superblock's checksum is wrong, too
    file.seekp(4096);
    file << std::string(65536, 'x'); // bitmaps and inodes
  }
  const auto held = take_volume(**volume);
  ASSERT_FALSE(held);
  EXPECT_EQ(held.error().failure, Failure::unreadable);
  EXPECT_THAT(held.error().hint, HasSubstr("e2fsck"));
}

TEST_F(NamedVolumes, WhatIsNoNameIsAPath) {
  EXPECT_FALSE(*parse_named_volume(folder_, "./data:/data"));
  EXPECT_FALSE(*parse_named_volume(folder_, "/data:/data"));
  EXPECT_FALSE(*parse_named_volume(folder_, "data:/data")); // there is none
  EXPECT_FALSE(*parse_named_volume(folder_, "data"));
}

TEST(ParseMemoryFolder, TakesAPathAndASize) {
  EXPECT_EQ(parse_memory_folder("/tmp")->most, 0u);
  EXPECT_EQ(parse_memory_folder("/tmp:64M")->path, "/tmp");
  EXPECT_EQ(parse_memory_folder("/tmp:64M")->most, 64u << 20);
  for (const auto* text : {"", "tmp", "/", "/tmp:", "/tmp:x"})
    EXPECT_FALSE(parse_memory_folder(text)) << text;
}

} // namespace
} // namespace ukl
