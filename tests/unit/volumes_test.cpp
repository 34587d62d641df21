// SPDX-License-Identifier: GPL-2.0-only
#include "machine/volumes.hpp"
#include "support/files.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::HasSubstr;

class ParseVolume : public testing::Test {
protected:
  TemporaryFolder folder = std::move(*TemporaryFolder::create("ukl-volume-test"));
  std::string inside(const std::string& name) { return (folder.path() / name).string(); }
  std::string with_ext4(const std::string& name) {
    std::string marked(4096, '\0');
    marked[1024 + 0x38] = '\x53';
    marked[1024 + 0x39] = '\xef';
    EXPECT_TRUE(write_text(inside(name), marked));
    return inside(name);
  }
};

TEST_F(ParseVolume, TakesAFolder) {
  const auto volume = parse_volume(folder.path().string() + ":/data");
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->host, folder.path());
  EXPECT_EQ(volume->guest, "/data");
  EXPECT_EQ(volume->kind, VolumeKind::folder);
  EXPECT_EQ(volume->transport, Transport::automatic);
  EXPECT_FALSE(volume->read_only || volume->shared);
}

TEST_F(ParseVolume, TakesOptionsBehindAThirdColon) {
  const auto volume = parse_volume(folder.path().string() + ":/data:ro,shared,virtiofs");
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->guest, "/data");
  EXPECT_EQ(volume->transport, Transport::virtiofs);
  EXPECT_TRUE(volume->read_only && volume->shared);
  for (const char* options : {"rO", "ro,,virtiofs", "shared,9p", "disk", "file"}) {
    const auto refused = parse_volume(fmt::format("{}:/data:{}", folder.path().string(), options));
    ASSERT_FALSE(refused) << options;
    EXPECT_EQ(refused.error().failure, Failure::usage);
  }
}

TEST_F(ParseVolume, KeepsColonsOfTheHostsPath) {
  std::filesystem::create_directory(inside("a:b"));
  const auto volume = parse_volume(inside("a:b") + ":/data:ro");
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->host.filename(), "a:b");
}

TEST_F(ParseVolume, TellsADiskFromAFile) {
  EXPECT_EQ(parse_volume(with_ext4("disk") + ":/data")->kind, VolumeKind::disk);
  EXPECT_EQ(parse_volume(inside("disk") + ":/data:file")->kind, VolumeKind::file);
  ASSERT_TRUE(write_text(inside("text"), "text"));
  EXPECT_EQ(parse_volume(inside("text") + ":/etc/text:ro")->kind, VolumeKind::file);
  // Making a file system would erase what the file holds.
  const auto no_disk = parse_volume(inside("text") + ":/data:disk");
  ASSERT_FALSE(no_disk);
  EXPECT_THAT(no_disk.error().hint, testing::Not(HasSubstr("mkfs")));
}

TEST_F(ParseVolume, OffersToFormatABlankDiskOnly) {
  ASSERT_TRUE(write_text(inside("blank"), std::string(1 << 20, '\0')));
  const auto blank = parse_volume(inside("blank") + ":/data");
  ASSERT_FALSE(blank);
  EXPECT_EQ(blank.error().failure, Failure::usage);
  EXPECT_THAT(blank.error().hint, HasSubstr("mkfs.ext4"));
}

TEST_F(ParseVolume, KnowsWhatGoesWithADiskAndAFile) {
  with_ext4("disk");
  ASSERT_TRUE(write_text(inside("text"), "text"));
  for (const auto& text : {inside("disk") + ":/data:virtiofs", inside("disk") + ":/data:shared",
                           inside("text") + ":/etc/text:9p"})
    EXPECT_EQ(parse_volume(text).error().failure, Failure::usage) << text;
}

TEST_F(ParseVolume, NamesWhatIsNotThere) {
  const auto volume = parse_volume(inside("nothing") + ":/data");
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().failure, Failure::not_found);
  EXPECT_THAT(volume.error().message, HasSubstr(inside("nothing")));
}

TEST_F(ParseVolume, WantsAnAbsoluteGuestPath) {
  for (const char* text : {"", ":", "/tmp", "/tmp:", ":/data", "/tmp:data", "/tmp:data:ro", "/tmp:/data:"}) {
    const auto volume = parse_volume(text);
    ASSERT_FALSE(volume) << text;
    EXPECT_EQ(volume.error().failure, Failure::usage);
  }
}

TEST(DiskInUse, IsReadFromQemusWords) {
  const auto error = explain_disk_in_use("qemu-system-x86_64: -drive if=none: Failed to get \"write\" lock\n"
                                         "Is another process using the image [/tmp/a disk]?\n");
  ASSERT_TRUE(error);
  EXPECT_EQ(error->failure, Failure::volume_in_use);
  EXPECT_THAT(error->message, HasSubstr("/tmp/a disk is in use"));
  EXPECT_FALSE(explain_disk_in_use("qemu-system-x86_64: something else"));
}

} // namespace
} // namespace ukl
