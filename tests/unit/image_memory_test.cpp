// SPDX-License-Identifier: GPL-2.0-only
#include "image/memory.hpp"
#include "image/payload.hpp"
#include "sample_files.hpp"

namespace ukl {
namespace {

constexpr std::uint64_t kMebibyte = 1 << 20;

ImageInfo image_with(std::uint64_t payload) {
  ImageInfo info;
  info.kernel_size = 20 * kMebibyte;
  info.payload_size = payload;
  info.memory_end = 22 * kMebibyte + payload;
  return info;
}

TEST(ImageMemory, CountsPagesAndEntries) {
  TreeSize size;
  size.add('-', 1, true);
  size.add('-', 4096, true);
  size.add('-', 4097, true);
  size.add('-', 0, true);
  size.add('-', 4097, false); // another name of a file
  size.add('d', 0, true);
  size.add('l', 10, true);
  size.add('l', 1000, true);
  EXPECT_EQ(size.pages, 5u);
  EXPECT_EQ(size.entries, 8u);
  size.link_sets = 7;
  size.in_place = 3;
  const auto again = decode_tree_size(encode_tree_size(size));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->pages, 5u);
  EXPECT_EQ(again->entries, 8u);
  EXPECT_EQ(again->link_sets, 7u);
  EXPECT_EQ(again->in_place, 3u);
  for (const char* wrong :
       {"", "1", "1:2:3", "1:2:3:", "1:2:3:4:5", "a:2:3:4", "1:2:3:4 ", "-1:2:3:4", "1:99999999999:3:4"})
    EXPECT_FALSE(decode_tree_size(wrong)) << wrong;
}

// Payload and files exist at the same time; the limit of the file system counts them twice.
TEST(ImageMemory, OneLargeFile) {
  const auto need = memory_need(image_with(78 * kMebibyte), {78 * 256, 30, 0});
  EXPECT_GT(need.least, (20 + 78 + 78) * kMebibyte);
  EXPECT_LT(need.least, (20 + 78 + 78 + 40) * kMebibyte);
  EXPECT_GT(need.for_tmpfs, (20 + 3 * 78) * kMebibyte);
  EXPECT_LT(need.for_tmpfs, (20 + 3 * 78 + 30) * kMebibyte);
  EXPECT_GE(need.comfortable, need.for_tmpfs);
  EXPECT_EQ(root_type(need, need.least), RootType::ramfs);
  EXPECT_EQ(root_type(need, need.for_tmpfs), RootType::tmpfs);
  EXPECT_EQ(need.least % kMebibyte, 0u);
}

// Files in place are in memory once, and no limit counts them.
TEST(ImageMemory, FilesInPlace) {
  const auto copied = memory_need(image_with(78 * kMebibyte), {78 * 256, 30, 0});
  const auto need = memory_need(image_with(78 * kMebibyte), {78 * 256, 30, 0, 78 * 256});
  EXPECT_LT(need.least + 70 * kMebibyte, copied.least);
  EXPECT_LT(need.for_tmpfs, need.least + 10 * kMebibyte);
  EXPECT_GT(need.least, (20 + 78) * kMebibyte);
}

// 100 000 files of one byte: a page and an inode for each, though the payload has 12 MiB.
TEST(ImageMemory, ManySmallFiles) {
  const auto need = memory_need(image_with(12 * kMebibyte), {100000, 100000, 0});
  EXPECT_GT(need.least, (20 + 12 + 390 + 100) * kMebibyte);
  const auto folders = memory_need(image_with(12 * kMebibyte), {0, 100000, 0});
  EXPECT_LT(folders.least, 220 * kMebibyte);
  // Linux allows for as many inodes as for pages.
  EXPECT_GT(folders.for_tmpfs, 2 * 390 * kMebibyte);
}

TEST(ImageMemory, GrowsWithEachPart) {
  const auto base = memory_need(image_with(kMebibyte), {1000, 1000, 0});
  EXPECT_EQ(base.comfortable, kUsualMemory);
  EXPECT_GT(memory_need(image_with(kMebibyte), {1000, 1000, 0}, 64).least, base.least);
  EXPECT_GT(memory_need(image_with(kMebibyte), {1000, 1000, 1000}).least, base.least);
  // Compressed: little payload, many pages.
  EXPECT_GT(memory_need(image_with(kMebibyte), {25600, 1000, 0}).least, base.least + 90 * kMebibyte);
}

// A kernel without PCI, and one without a network, take less; their needs are told in quarters of a MiB.
TEST(ImageMemory, SmallKernelsNeedLess) {
  auto info = image_with(kMebibyte);
  const TreeSize tree{400, 40, 0};
  const auto general = memory_need(info, tree);
  info.manifest.emplace_back(key::lacks, "pci");
  const auto micro = memory_need(info, tree);
  info.manifest.emplace_back(key::lacks, "network");
  const auto nano = memory_need(info, tree);
  EXPECT_LT(micro.least + 8 * kMebibyte, general.least);
  EXPECT_LT(nano.least + kMebibyte, micro.least);
  EXPECT_EQ(nano.least % (kMebibyte / 4), 0u);
  // Who only unpacks a compressed archive needs memory for that.
  auto compressed = info;
  compressed.compressed = true;
  EXPECT_GE(memory_need(compressed, tree).least, memory_need(info, tree).least + kMebibyte);
}

class ImageMemoryTest : public FolderTest {};

// An image without the record is read instead, with the same result.
TEST_F(ImageMemoryTest, PayloadsAreCountedAsTheyWereMade) {
  ASSERT_TRUE(write_text(at("host"), std::string(5000, 'x')));
  std::filesystem::create_hard_link(at("host"), at("other"));
  RootTree tree;
  ASSERT_TRUE(tree.add("/d/a", host_entry(at("host"), 0644)));
  ASSERT_TRUE(tree.add("/d/b", host_entry(at("other"), 0644)));
  ASSERT_TRUE(tree.add("/long", link_entry(std::string(500, 'x'))));
  const auto payload = make_payload(tree, PayloadKind::compressed);
  ASSERT_TRUE(payload) << payload.error().message;
  ASSERT_TRUE(write_text(at("payload"), std::string(payload->bytes.begin(), payload->bytes.end())));
  ImageInfo info;
  info.payload_size = payload->bytes.size();
  const auto counted = tree_size(at("payload"), info);
  ASSERT_TRUE(counted) << counted.error().message;
  EXPECT_EQ(counted->pages, 3u);
  EXPECT_EQ(counted->entries, 4u);
  EXPECT_EQ(counted->link_sets, 1u);
  EXPECT_EQ(encode_tree_size(payload->size), encode_tree_size(*counted));
}

} // namespace
} // namespace ukl
