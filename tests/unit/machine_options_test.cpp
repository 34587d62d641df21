// SPDX-License-Identifier: GPL-2.0-only
#include "machine_options.hpp"
#include "support/files.hpp"

#include <cstdlib>
#include <fmt/format.h>
#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::HasSubstr;

TEST(ParseSize, TakesUnits) {
  EXPECT_EQ(*parse_size("64M"), 64ull << 20);
  EXPECT_EQ(*parse_size("1G"), 1ull << 30);
  EXPECT_EQ(*parse_size("65536k"), 64ull << 20);
  EXPECT_EQ(*parse_size("256"), 256ull << 20);
}

TEST(ParseSize, RefusesEverythingElse) {
  for (const char* text : {"", "M", "0", "0G", "1T", "-1M", "1.5G", "1GB", "99999999999999999999",
                           "18446744073709551615G", "64*"}) {
    const auto size = parse_size(text);
    ASSERT_FALSE(size) << text;
    EXPECT_EQ(size.error().failure, Failure::usage);
    EXPECT_THAT(size.error().hint, HasSubstr("-m"));
  }
}

TEST(ParseForward, TakesAddressAndProtocol) {
  const auto plain = parse_forward("8080:80");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->protocol, "tcp");
  EXPECT_EQ(plain->host_address, "127.0.0.1");
  EXPECT_EQ(plain->host_port, 8080);
  EXPECT_EQ(plain->guest_port, 80);

  const auto full = parse_forward("0.0.0.0:53:5353/udp");
  ASSERT_TRUE(full);
  EXPECT_EQ(full->protocol, "udp");
  EXPECT_EQ(full->host_address, "0.0.0.0");
  EXPECT_EQ(full->host_port, 53);
  EXPECT_EQ(full->guest_port, 5353);
}

TEST(ParseForward, RefusesEverythingElse) {
  for (const char* text : {"", "80", ":80", "80:", "0:80", "80:0", "65536:80", "80:65536", "a:80",
                           "80:80/sctp", "1.2.3:80:80", "localhost:80:80", "80:-1"}) {
    const auto forward = parse_forward(text);
    ASSERT_FALSE(forward) << text;
    EXPECT_EQ(forward.error().failure, Failure::usage);
    EXPECT_THAT(forward.error().message, HasSubstr(text));
  }
}

class ParseVolume : public testing::Test {
protected:
  TemporaryFolder folder = std::move(*TemporaryFolder::create("ukl-volume-test"));
  std::string inside(const std::string& name) { return (folder.path() / name).string(); }
};

TEST_F(ParseVolume, TakesAFolder) {
  const auto volume = parse_volume(folder.path().string() + ":/data");
  ASSERT_TRUE(volume);
  EXPECT_EQ(volume->host, folder.path());
  EXPECT_EQ(volume->guest, "/data");
}

TEST_F(ParseVolume, TakesADiskWithAFileSystemOnly) {
  ASSERT_TRUE(write_text(inside("disk"), std::string(4096, '\0')));
  const auto empty = parse_volume(inside("disk") + ":/data");
  ASSERT_FALSE(empty);
  EXPECT_EQ(empty.error().failure, Failure::usage);
  EXPECT_THAT(empty.error().hint, HasSubstr("mkfs.ext4"));

  std::string marked(4096, '\0');
  marked[1024 + 0x38] = '\x53';
  marked[1024 + 0x39] = '\xef';
  ASSERT_TRUE(write_text(inside("disk"), marked));
  EXPECT_TRUE(parse_volume(inside("disk") + ":/data"));
}

TEST_F(ParseVolume, NamesWhatIsNotThere) {
  const auto volume = parse_volume(inside("nothing") + ":/data");
  ASSERT_FALSE(volume);
  EXPECT_EQ(volume.error().failure, Failure::not_found);
  EXPECT_THAT(volume.error().message, HasSubstr(inside("nothing")));
}

TEST_F(ParseVolume, WantsAnAbsoluteGuestPath) {
  for (const char* text : {"", ":", "/tmp", "/tmp:", ":/data", "/tmp:data"}) {
    const auto volume = parse_volume(text);
    ASSERT_FALSE(volume) << text;
    EXPECT_EQ(volume.error().failure, Failure::usage);
  }
}

} // namespace
} // namespace ukl
