// SPDX-License-Identifier: GPL-2.0-only
#include "contents/root_defaults.hpp"
#include "image/payload.hpp"
#include "image/payload_read.hpp"
#include "image/plain_archive.hpp"
#include "sample_files.hpp"
#include "support/places.hpp"
#include "ukl/manifest.hpp"

#include <fcntl.h>
#include <map>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl {
namespace {

class PayloadTest : public FolderTest {
protected:
  struct Seen {
    PayloadEntry entry;
    Bytes contents;
  };

  static ImageInfo info_of(const Payload& payload) {
    ImageInfo info;
    info.payload_size = payload.bytes.size();
    info.archive_size = payload.archive_size;
    info.in_place = payload.in_place;
    return info;
  }

  // Packs the tree and reads it back as from an image that is nothing but a payload.
  std::map<std::string, Seen> round_trip(const RootTree& tree, PayloadKind kind = PayloadKind::archive,
                                         std::int64_t newest = UINT32_MAX) {
    auto payload = make_payload(tree, kind, newest);
    EXPECT_TRUE(payload) << payload.error().message;
    EXPECT_TRUE(write_text(at("payload"), std::string(payload->bytes.begin(), payload->bytes.end())));
    const auto info = info_of(*payload);
    std::map<std::string, Seen> seen;
    auto read =
        read_payload(at("payload"), info, [&](const PayloadEntry& entry, const ReadContents& contents) {
          Seen one{entry, {}};
          if (entry.type == '-')
            one.contents = *contents();
          seen[entry.path] = one;
          return Result<void>();
        });
    EXPECT_TRUE(read) << read.error().message;
    return seen;
  }
};

std::string text_of(const Bytes& bytes) {
  return {bytes.begin(), bytes.end()};
}

TEST_F(PayloadTest, HoldsWhatTheTreeHolds) {
  ASSERT_TRUE(write_text(at("host"), "from the host"));
  RootTree tree;
  ASSERT_TRUE(tree.add("/a/file", text_entry("made", 0640)));
  ASSERT_TRUE(tree.add("/a/host", host_entry(at("host"), 04755)));
  ASSERT_TRUE(tree.add("/a/\xff\xfe", text_entry("odd name")));
  ASSERT_TRUE(tree.add("/a/gr\xc3\xbc\xc3\x9f", link_entry("\xff")));
  ASSERT_TRUE(tree.add("/dev/console", device_entry(5, 1, 0600)));
  ASSERT_TRUE(tree.add("/tmp", folder_entry(01777)));
  auto seen = round_trip(tree);
  EXPECT_EQ(seen.size(), 8u);
  EXPECT_EQ(text_of(seen["/a/file"].contents), "made");
  EXPECT_EQ(seen["/a/file"].entry.mode, 0640u);
  EXPECT_EQ(text_of(seen["/a/host"].contents), "from the host");
  EXPECT_EQ(seen["/a/host"].entry.mode, 04755u);
  EXPECT_EQ(text_of(seen["/a/\xff\xfe"].contents), "odd name");
  EXPECT_EQ(seen["/a/gr\xc3\xbc\xc3\x9f"].entry.target, "\xff");
  EXPECT_EQ(seen["/dev/console"].entry.type, 'c');
  EXPECT_EQ(seen["/tmp"].entry.mode, 01777u);
}

// Linux's own unpacker is strict: each header is "070701" and 13 numbers of 8 digits, owner and time 0.
TEST_F(PayloadTest, IsTheArchiveThatLinuxTakes) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/file", text_entry("12345")));
  auto payload = make_payload(tree);
  ASSERT_TRUE(payload);
  const auto text = text_of(payload->bytes);
  ASSERT_EQ(text.substr(0, 6), "070701");
  const auto field = [&](std::size_t index) {
    return std::stoul(text.substr(6 + index * 8, 8), nullptr, 16);
  };
  EXPECT_EQ(field(1), 0100644u);
  EXPECT_EQ(field(2), 0u);
  EXPECT_EQ(field(3), 0u);
  EXPECT_EQ(field(4), 1u);
  EXPECT_EQ(field(5), 0u);
  EXPECT_EQ(field(6), 5u);
  EXPECT_EQ(text.substr(110, 5), std::string("file\0", 5));
  EXPECT_NE(text.find("TRAILER!!!"), std::string::npos);
}

TEST_F(PayloadTest, SameTreeSameBytes) {
  RootTree one, other;
  ASSERT_TRUE(write_text(at("host"), "x"));
  ASSERT_TRUE(one.add("/b", text_entry("b")));
  ASSERT_TRUE(one.add("/a", host_entry(at("host"), 0644)));
  ASSERT_TRUE(other.add("/a", host_entry(at("host"), 0644)));
  ASSERT_TRUE(other.add("/b", text_entry("b")));
  EXPECT_EQ(make_payload(one)->bytes, make_payload(other)->bytes);
}

// Whatever it is: the payload knows nothing of what files are for.
TEST_F(PayloadTest, ChangedFilesAreChangedUnderAllTheirNames) {
  ASSERT_TRUE(write_text(at("host"), "\177ELF of the host"));
  std::filesystem::create_hard_link(at("host"), at("other"));
  ASSERT_TRUE(write_text(at("alone"), "alone"));
  RootTree tree;
  ASSERT_TRUE(tree.add("/a", host_entry(at("host"), 0644)));
  ASSERT_TRUE(tree.add("/b", host_entry(at("other"), 0644)));
  ASSERT_TRUE(tree.add("/c", host_entry(at("alone"), 0644)));
  ASSERT_TRUE(tree.add("/d", host_entry(at("alone"), 0644)));
  const std::string_view changed = "changed", own = "its own";
  tree.change_contents("/b", {changed.begin(), changed.end()});
  tree.change_contents("/c", {own.begin(), own.end()});
  auto seen = round_trip(tree);
  // Linux makes the second name a link to the first, which has the contents.
  EXPECT_EQ(text_of(seen["/a"].contents) + text_of(seen["/b"].contents), "changed");
  EXPECT_EQ(text_of(seen["/c"].contents), "its own");
  EXPECT_EQ(text_of(seen["/d"].contents), "alone");
}

TEST_F(PayloadTest, CompressedIsReadTheSame) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/file", text_entry(std::string(3 << 20, 'x'))));
  auto payload = make_payload(tree, PayloadKind::compressed);
  ASSERT_TRUE(payload) << payload.error().message;
  // zstd's magic number, by which Linux knows it.
  EXPECT_EQ(Bytes(payload->bytes.begin(), payload->bytes.begin() + 4), (Bytes{0x28, 0xb5, 0x2f, 0xfd}));
  EXPECT_LT(payload->bytes.size(), 10000u);
  auto seen = round_trip(tree, PayloadKind::compressed);
  EXPECT_EQ(text_of(seen["/file"].contents), std::string(3 << 20, 'x'));
  EXPECT_EQ(payload->bytes, make_payload(tree, PayloadKind::compressed)->bytes);
}

// Large files lie behind the archive on pages of their own, and are read as if they lay in it; without them
// it is the archive that Linux would have copied them from.
TEST_F(PayloadTest, LargeFilesLieInPlace) {
  std::string large(50001, 'l');
  large.replace(40000, 3, "end");
  ASSERT_TRUE(write_text(at("host"), large));
  std::filesystem::create_hard_link(at("host"), at("other"));
  RootTree tree;
  ASSERT_TRUE(tree.add("/a", host_entry(at("host"), 0755)));
  ASSERT_TRUE(tree.add("/b", host_entry(at("other"), 0755)));
  ASSERT_TRUE(tree.add("/exactly", text_entry(std::string(kLeastInPlace, 'x'))));
  ASSERT_TRUE(tree.add("/small", text_entry("small")));
  ASSERT_TRUE(tree.add("/folder/less", text_entry(std::string(kLeastInPlace - 1, 'y'), 0600)));
  const auto payload = make_payload(tree, PayloadKind::in_place);
  ASSERT_TRUE(payload) << payload.error().message;
  EXPECT_EQ(payload->in_place, 2u);
  EXPECT_EQ(payload->size.in_place, 13u + 4);
  EXPECT_EQ(payload->bytes.size() % 4096, 0u);
  EXPECT_LT(payload->archive_size, 20000u);
  auto seen = round_trip(tree, PayloadKind::in_place);
  EXPECT_EQ(seen.size(), 6u);
  EXPECT_EQ(text_of(seen["/a"].contents), large);
  EXPECT_EQ(seen["/a"].entry.mode, 0755u);
  EXPECT_EQ(seen["/b"].entry.same_as, "/a");
  EXPECT_EQ(text_of(seen["/exactly"].contents), std::string(kLeastInPlace, 'x'));
  EXPECT_EQ(text_of(seen["/small"].contents), "small");
  EXPECT_EQ(seen["/folder/less"].contents.size(), kLeastInPlace - 1);

  const auto plain = plain_archive(at("payload"), info_of(*payload));
  ASSERT_TRUE(plain) << plain.error().message;
  EXPECT_EQ(*plain, make_payload(tree)->bytes);
  const auto copied = make_payload(tree);
  ASSERT_TRUE(write_text(at("copied"), text_of(copied->bytes)));
  EXPECT_EQ(*plain_archive(at("copied"), info_of(*copied)), copied->bytes);
}

// Whoever made the image: nothing is read outside of the payload.
TEST_F(PayloadTest, DamagedTablesOfFilesAreRefused) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/large", text_entry(std::string(50000, 'x'))));
  auto payload = make_payload(tree, PayloadKind::in_place);
  ASSERT_TRUE(payload);
  const auto info = info_of(*payload);
  const auto table = (payload->archive_size + 4095) / 4096 * 4096;
  const auto visit = [](const PayloadEntry&, const ReadContents&) { return Result<void>(); };
  for (const std::size_t at_byte : {0, 2, 4, 6, 8, 12, 15}) {
    auto bytes = payload->bytes;
    bytes[table + at_byte] = bytes[table + at_byte + 1] = 0xff;
    ASSERT_TRUE(write_text(at("bad"), text_of(bytes)));
    expect_error(read_payload(at("bad"), info, visit), Failure::not_an_image, "bad");
  }
  auto many = info;
  many.in_place = 1000000;
  expect_error(read_payload(at("bad"), many, visit), Failure::not_an_image, "bad");
  many.in_place = 2;
  expect_error(read_payload(at("bad"), many, visit), Failure::not_an_image, "bad");
}

// As `tar` keeps them.
TEST_F(PayloadTest, KeepsTimesOwnersAndHardLinks) {
  namespace fs = std::filesystem;
  fs::create_directories(at("in/sub"));
  ASSERT_TRUE(write_text(at("in/key"), "secret", 0600));
  ASSERT_TRUE(write_text(at("in/one"), "same"));
  fs::create_hard_link(at("in/one"), at("in/sub/two"));
  fs::create_symlink("key", at("in/link"));
  const timespec times[] = {{1600000000, 0}, {1600000000, 999999999}};
  for (const char* name : {"in/key", "in/link", "in/sub", "in"})
    ASSERT_EQ(utimensat(AT_FDCWD, at(name).c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  const bool root =
      lchown(at("in/key").c_str(), 101, 102) == 0 && lchown(at("in/link").c_str(), 103, 104) == 0;
  RootTree tree;
  CopiedFiles copied;
  ASSERT_TRUE(tree.add_copy(at("in"), "/in", copied));
  auto seen = round_trip(tree);
  for (const char* name : {"/in/key", "/in/link", "/in/sub", "/in"})
    EXPECT_EQ(seen[name].entry.time, 1600000000) << name;
  EXPECT_EQ(seen["/in/key"].entry.owner, root ? 101u : getuid());
  EXPECT_EQ(seen["/in/key"].entry.group, root ? 102u : getgid());
  EXPECT_EQ(seen["/in/link"].entry.owner, root ? 103u : getuid());
  EXPECT_EQ(text_of(seen["/in/one"].contents), "same");
  EXPECT_EQ(seen["/in/sub/two"].entry.same_as, "/in/one");
  EXPECT_EQ(seen["/in/sub/two"].entry.size, 0u);
  EXPECT_EQ(seen["/in/key"].entry.same_as, "");

  // Somebody's own files are given to another; those of others stay theirs.
  tree.replace_owner(root ? 101 : getuid(), root ? 999 : getgid(), 33, 34);
  seen = round_trip(tree);
  EXPECT_EQ(seen["/in/key"].entry.owner, 33u);
  EXPECT_EQ(seen["/in/key"].entry.group, root ? 102u : 34u);

  setenv("SOURCE_DATE_EPOCH", "1500000000", 1);
  seen = round_trip(tree, PayloadKind::archive, read_places()->newest);
  EXPECT_EQ(seen["/in/key"].entry.time, 1500000000);
  setenv("SOURCE_DATE_EPOCH", "yesterday", 1);
  expect_error(read_places(), Failure::usage, "yesterday");
  unsetenv("SOURCE_DATE_EPOCH");
}

// Linux starts init also when memory did not suffice for all files.
TEST_F(PayloadTest, InitComesFirstAndTheMarkLast) {
  RootTree tree;
  for (const char* path : {"/a", "/zzz", "/init", kManifestPath, kCompletePath, "/.a"})
    ASSERT_TRUE(tree.add(path, text_entry("x")));
  ASSERT_TRUE(add_defaults(tree, ""));
  const auto payload = make_payload(tree);
  ASSERT_TRUE(payload);
  const auto text = text_of(payload->bytes);
  const auto position = [&](const std::string& name) { return text.find(name + std::string(1, '\0')); };
  EXPECT_EQ(position("init"), 110u);
  for (const char* early : {".ukl/manifest", "dev/console", "proc", "sys", "run"})
    EXPECT_LT(position(early), position(".a")) << early;
  EXPECT_GT(position(".ukl/complete"), position("zzz"));
}

TEST_F(PayloadTest, FilesBelowVarRunLieInRun) {
  RootTree tree;
  ASSERT_TRUE(add_default_links(tree));
  ASSERT_TRUE(tree.add("/var/run/mine", text_entry("1")));
  ASSERT_TRUE(tree.add("/var/lock/mine", text_entry("1")));
  ASSERT_TRUE(tree.add("/root/deep/program", text_entry("1")));
  ASSERT_TRUE(add_defaults(tree, ""));
  auto seen = round_trip(tree);
  EXPECT_EQ(seen["/run/mine"].entry.type, '-');
  EXPECT_EQ(seen["/run/lock/mine"].entry.type, '-');
  EXPECT_EQ(seen["/run/lock"].entry.mode, 01777u);
  EXPECT_EQ(seen["/var/run"].entry.target, "/run");
  // Others may have to reach the program.
  EXPECT_EQ(seen["/root"].entry.mode, 0755u);
  for (const char* folder : {"/var/log", "/var/lib", "/var/cache", "/var/tmp"})
    EXPECT_EQ(seen[folder].entry.type, 'd') << folder;
  EXPECT_EQ(seen["/etc/mtab"].entry.target, "../proc/self/mounts");
  EXPECT_EQ(seen["/etc/localtime"].entry.target, "/usr/share/zoneinfo/Etc/UTC");
  EXPECT_EQ(seen["/usr/share/zoneinfo/Etc/UTC"].entry.size, 114u);
}

TEST_F(PayloadTest, MissingHostFile) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/f", host_entry(at("gone"), 0644)));
  expect_error(make_payload(tree), Failure::not_found, "gone");
}

TEST_F(PayloadTest, DamagedPayload) {
  ASSERT_TRUE(write_text(at("payload"), std::string(4096, 'x')));
  ImageInfo info;
  info.payload_size = 4096;
  expect_error(tree_size(at("payload"), info), Failure::not_an_image, "damaged");
}

TEST_F(PayloadTest, DefaultsGiveWayToTheUsersFiles) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/etc/group", text_entry("mine")));
  ASSERT_TRUE(add_defaults(tree, "www:x:33:33::/srv:/bin/false"));
  auto seen = round_trip(tree);
  EXPECT_EQ(text_of(seen["/etc/group"].contents), "mine");
  EXPECT_EQ(seen.count("/etc/hosts") + seen.count("/etc/resolv.conf"), 0u) << "the run's, not the image's";
  EXPECT_NE(text_of(seen["/etc/passwd"].contents).find("www:x:33:33::/srv:/bin/false\n"), std::string::npos);
  for (const char* folder : {"/proc", "/sys", "/dev", "/tmp", "/run", "/etc"})
    EXPECT_EQ(seen[folder].entry.type, 'd');
  EXPECT_EQ(seen["/dev/console"].entry.type, 'c');
}

} // namespace
} // namespace ukl
