// SPDX-License-Identifier: GPL-2.0-only
#include "payload.hpp"
#include "payload_read.hpp"
#include "sample_files.hpp"

#include <map>

namespace ukl {
namespace {

class PayloadTest : public FolderTest {
protected:
  struct Seen {
    PayloadEntry entry;
    Bytes contents;
  };

  // Packs the tree and reads it back as from an image that is nothing but a payload.
  std::map<std::string, Seen> round_trip(const RootTree& tree, const ElfHook& hook = {},
                                         bool compress = false) {
    auto payload = make_payload(tree, hook, compress);
    EXPECT_TRUE(payload) << payload.error().message;
    EXPECT_TRUE(write_text(at("payload"), std::string(payload->begin(), payload->end())));
    ImageInfo info;
    info.payload_size = payload->size();
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
  auto payload = make_payload(tree, {});
  ASSERT_TRUE(payload);
  const auto text = text_of(*payload);
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
  ASSERT_TRUE(write_text(at("host"), "x"));
  ASSERT_TRUE(other.add("/a", host_entry(at("host"), 0644)));
  ASSERT_TRUE(other.add("/b", text_entry("b")));
  EXPECT_EQ(*make_payload(one, {}), *make_payload(other, {}));
}

TEST_F(PayloadTest, TheHookSeesAndChangesElfFilesOnly) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/elf", text_entry("\177ELF and more")));
  ASSERT_TRUE(tree.add("/text", text_entry("text")));
  std::vector<std::string> paths;
  auto seen = round_trip(tree, [&](const std::string& path, Bytes& contents) {
    paths.push_back(path);
    contents.push_back('!');
    return Result<void>();
  });
  EXPECT_EQ(paths, std::vector<std::string>{"/elf"});
  EXPECT_EQ(text_of(seen["/elf"].contents), "\177ELF and more!");
  EXPECT_EQ(text_of(seen["/text"].contents), "text");
  auto refused = make_payload(tree, [](const std::string&, Bytes&) -> Result<void> {
    return Error{Failure::rewrite, "no", "hint"};
  });
  expect_error(refused, Failure::rewrite, "no");
}

TEST_F(PayloadTest, CompressedIsReadTheSame) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/file", text_entry(std::string(3 << 20, 'x'))));
  auto payload = make_payload(tree, {}, true);
  ASSERT_TRUE(payload) << payload.error().message;
  // zstd's magic number, by which Linux knows it.
  EXPECT_EQ(Bytes(payload->begin(), payload->begin() + 4), (Bytes{0x28, 0xb5, 0x2f, 0xfd}));
  EXPECT_LT(payload->size(), 10000u);
  auto seen = round_trip(tree, {}, true);
  EXPECT_EQ(text_of(seen["/file"].contents), std::string(3 << 20, 'x'));
  EXPECT_EQ(*payload, *make_payload(tree, {}, true));
}

TEST_F(PayloadTest, MissingHostFile) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/f", host_entry(at("gone"), 0644)));
  expect_error(make_payload(tree, {}), Failure::not_found, "gone");
}

TEST_F(PayloadTest, DamagedPayload) {
  ASSERT_TRUE(write_text(at("payload"), std::string(4096, 'x')));
  ImageInfo info;
  info.payload_size = 4096;
  expect_error(unpacked_size(at("payload"), info), Failure::not_an_image, "damaged");
}

TEST_F(PayloadTest, DefaultsGiveWayToTheUsersFiles) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/etc/hosts", text_entry("mine")));
  ASSERT_TRUE(add_defaults(tree, "name", {"10.0.2.3"}, "www:x:33:33::/srv:/bin/false"));
  auto seen = round_trip(tree);
  EXPECT_EQ(text_of(seen["/etc/hosts"].contents), "mine");
  EXPECT_EQ(text_of(seen["/etc/hostname"].contents), "name\n");
  EXPECT_EQ(text_of(seen["/etc/resolv.conf"].contents), "nameserver 10.0.2.3\n");
  EXPECT_NE(text_of(seen["/etc/passwd"].contents).find("www:x:33:33::/srv:/bin/false\n"), std::string::npos);
  for (const char* folder : {"/proc", "/sys", "/dev", "/tmp", "/run", "/etc"})
    EXPECT_EQ(seen[folder].entry.type, 'd');
  EXPECT_EQ(seen["/dev/console"].entry.type, 'c');
}

} // namespace
} // namespace ukl
