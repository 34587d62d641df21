// SPDX-License-Identifier: GPL-2.0-only
#include "image/memory.hpp"
#include "image/payload_read.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace ukl {
namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kKibibyte = 1024, kMebibyte = 1 << 20;

// What Linux takes besides its own segments while it unpacks: a whole section's page descriptions, per-CPU
// areas, drivers' buffers, its processes. Measured with profile general: 11.4 MiB.
constexpr std::uint64_t kKernelNeeds = 13 * kMebibyte;
// Of that, before the root file system is made and its size taken: 5 MiB.
constexpr std::uint64_t kKernelNeedsEarly = 6 * kMebibyte;
// Areas, stacks and kernel threads of each further CPU.
constexpr std::uint64_t kEachCpu = kMebibyte;
// Inode (shmem_inode_info), directory entry, and what a time to be set later takes (init/initramfs.c,
// dir_add).
constexpr std::uint64_t kEachEntry = 1280;
// What init and a small program need to run.
constexpr std::uint64_t kRoom = 6 * kMebibyte;
// What `ukl run` gives the program by itself.
constexpr std::uint64_t kComfort = 96 * kMebibyte;
// struct hash of init/initramfs.c, which kmalloc rounds up.
constexpr std::uint64_t kEachLinkSet = 8 * kKibibyte;
// From about here on QEMU's machines have memory above 4 GiB, for which Linux sets bounce buffers aside
// (swiotlb).
constexpr std::uint64_t kManyBytes = 2816 * kMebibyte, kBounceBuffers = 64 * kMebibyte;
// shmem_symlink keeps a shorter target in the inode (mm/shmem.c, SHORT_SYMLINK_LEN).
constexpr std::uint64_t kLongLink = 128;

std::uint64_t round_up(std::uint64_t bytes, std::uint64_t unit) {
  return (bytes + unit - 1) / unit * unit;
}

// The machine whose memory leaves so much when Linux has described it (64 bytes for each page) and kept its
// reserve (min_free_kbytes grows with the root of the memory; 1/128 is more than that from 32 MiB on).
std::uint64_t machine_with(std::uint64_t bytes) {
  auto all = bytes / 62 * 64;
  if (all > kManyBytes)
    all += kBounceBuffers;
  return round_up(all, kMebibyte);
}

} // namespace

void TreeSize::add(char type, std::uint64_t bytes, bool own) {
  ++entries;
  if (own && (type == '-' || (type == 'l' && bytes >= kLongLink)))
    pages += (bytes + kPage - 1) / kPage;
}

std::string encode_tree_size(const TreeSize& size) {
  return fmt::format("{}:{}:{}", size.pages, size.entries, size.link_sets);
}

std::optional<TreeSize> decode_tree_size(const std::string& text) {
  TreeSize size;
  const auto* at = text.data();
  const auto* end = at + text.size();
  for (auto* number : {&size.pages, &size.entries, &size.link_sets}) {
    const auto [next, error] = std::from_chars(at, end, *number);
    const bool last = number == &size.link_sets;
    // More than any image can have: its payload lies below 4 GiB.
    if (error != std::errc() || *number > UINT32_MAX || (last ? next != end : next == end || *next != ':'))
      return std::nullopt;
    at = next + 1;
  }
  return size;
}

Result<TreeSize> tree_size(const std::filesystem::path& image, const ImageInfo& info) {
  if (const auto known = decode_tree_size(value_of(info.manifest, key::tree)))
    return *known;
  TreeSize size;
  auto read = read_payload(image, info, [&](const PayloadEntry& entry, const ReadContents&) {
    size.add(entry.type, entry.type == 'l' ? entry.target.size() : entry.size, entry.same_as.empty());
    if (!entry.same_as.empty())
      ++size.link_sets;
    return Result<void>();
  });
  if (!read)
    return read.error();
  return size;
}

MemoryNeed memory_need(const ImageInfo& info, const TreeSize& tree, unsigned cpus) {
  const auto kernel = info.kernel_size + (cpus - 1) * kEachCpu;
  const auto payload = round_up(info.payload_size, kPage);
  const auto entries = tree.entries * kEachEntry;
  const auto files = tree.pages * kPage * 64 / 63 + entries;
  const auto while_unpacking = kernel + kKernelNeeds + payload + files + tree.link_sets * kEachLinkSet;
  const auto while_running = kernel + kKernelNeeds + files + kRoom;
  // A tmpfs counts pages and entries, and takes as many of each as half of the pages that are free early.
  const auto limited = 2 * std::max(tree.pages, tree.entries + 64) * kPage;
  const auto by_limit = kernel + kKernelNeedsEarly + payload + limited;

  MemoryNeed need;
  const auto present = round_up(info.memory_end + kFirmwareNeeds, kMebibyte);
  need.least = std::max({present, machine_with(while_unpacking), machine_with(while_running)});
  need.for_tmpfs = std::max(need.least, machine_with(by_limit));
  need.comfortable = std::max({kUsualMemory, need.for_tmpfs, need.least + round_up(kComfort, kMebibyte)});
  return need;
}

RootType root_type(const MemoryNeed& need, std::uint64_t memory) {
  return memory >= need.for_tmpfs ? RootType::tmpfs : RootType::ramfs;
}

} // namespace ukl
