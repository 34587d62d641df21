// SPDX-License-Identifier: GPL-2.0-only
#include "image/memory.hpp"
#include "image/payload_read.hpp"
#include "image/zstd.hpp"
#include "support/align.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace ukl {
namespace {

constexpr std::uint64_t kKibibyte = 1024, kMebibyte = 1 << 20;

// What a kernel needs besides its own segments.
struct KernelNeeds {
  std::uint64_t all; ///< while it unpacks: page descriptions, per-CPU areas, drivers' buffers, its processes
  std::uint64_t early;    ///< of that, before the root file system is made and its size taken
  std::uint64_t room;     ///< for init and a small program to run
  std::uint64_t firmware; ///< at the end of memory
  std::uint64_t unit;     ///< what the machine's memory is rounded up to
};

// Measured: 11.4 MiB and 5 MiB of the first two.
constexpr KernelNeeds kGeneral{13 * kMebibyte, 6 * kMebibyte, 6 * kMebibyte, kFirmwareNeeds, kMebibyte};
// A kernel without PCI runs on machines without SeaBIOS. Measured: 1.9 MiB, and 4.2 MiB with a network card,
// whose buffers are filled when it is set up.
constexpr KernelNeeds kNano{1984 * kKibibyte, 1536 * kKibibyte, kMebibyte, 0, 256 * kKibibyte};
constexpr KernelNeeds kMicro{4352 * kKibibyte, 1536 * kKibibyte, kMebibyte, 0, 256 * kKibibyte};

const KernelNeeds& needs_of(const ImageInfo& info) {
  const auto lacks = values_of(info.manifest, key::lacks);
  const auto has = [&](std::string_view feature) { return std::ranges::find(lacks, feature) == lacks.end(); };
  return has("pci") ? kGeneral : has("network") ? kMicro : kNano;
}

// Linux's zstd without its window, and a block of what it gives.
constexpr std::uint64_t kUnpacker = 384 * kKibibyte;
// Areas, stacks and kernel threads of each further CPU.
constexpr std::uint64_t kEachCpu = kMebibyte;
// Inode (shmem_inode_info), directory entry, and what a time to be set later takes (init/initramfs.c,
// dir_add).
constexpr std::uint64_t kEachEntry = 1280;
// What `ukl run` gives the program by itself.
constexpr std::uint64_t kComfort = 96 * kMebibyte;
// struct hash of init/initramfs.c, which kmalloc rounds up.
constexpr std::uint64_t kEachLinkSet = 8 * kKibibyte;
// From about here on QEMU's machines have memory above 4 GiB, for which Linux sets bounce buffers aside
// (swiotlb).
constexpr std::uint64_t kManyBytes = 2816 * kMebibyte, kBounceBuffers = 64 * kMebibyte;
// shmem_symlink keeps a shorter target in the inode (mm/shmem.c, SHORT_SYMLINK_LEN).
constexpr std::uint64_t kLongLink = 128;

// The machine whose memory leaves so much when Linux has described it (64 bytes for each page) and kept its
// reserve (min_free_kbytes grows with the root of the memory; 1/128 is more than that from 32 MiB on).
std::uint64_t machine_with(std::uint64_t bytes, const KernelNeeds& needs) {
  auto all = bytes / 62 * 64;
  if (all > kManyBytes)
    all += kBounceBuffers;
  return align_up(all, needs.unit);
}

} // namespace

void TreeSize::add(char type, std::uint64_t bytes, bool own) {
  ++entries;
  if (own && (type == '-' || (type == 'l' && bytes >= kLongLink)))
    pages += pages_of(bytes);
}

std::string encode_tree_size(const TreeSize& size) {
  return fmt::format("{}:{}:{}:{}", size.pages, size.entries, size.link_sets, size.in_place);
}

std::optional<TreeSize> decode_tree_size(const std::string& text) {
  TreeSize size;
  const auto* at = text.data();
  const auto* end = at + text.size();
  for (auto* number : {&size.pages, &size.entries, &size.link_sets, &size.in_place}) {
    const auto [next, error] = std::from_chars(at, end, *number);
    const bool last = number == &size.in_place;
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
  const auto& needs = needs_of(info);
  const auto kernel = info.kernel_size + (cpus - 1) * kEachCpu;
  const auto payload = align_up(info.payload_size, kPage);
  const auto entries = tree.entries * kEachEntry;
  const auto files = tree.pages * kPage * 64 / 63 + entries;
  const auto unpacker = info.compressed ? kUnpacker + 2 * zstd_window(tree.pages * kPage + entries) : 0;
  const auto while_unpacking =
      kernel + needs.all + payload + unpacker + files - tree.in_place * kPage + tree.link_sets * kEachLinkSet;
  const auto while_running = kernel + needs.all + files + needs.room;
  // A tmpfs counts pages and entries, and takes as many of each as half of the pages that are free early;
  // pages in place are taken all the same (arch/x86/ukl/image_files.c).
  const auto limited = 2 * std::max(tree.pages - tree.in_place, tree.entries + 64) * kPage;
  const auto by_limit = kernel + needs.early + payload + limited;

  MemoryNeed need;
  const auto present = align_up(info.memory_end + needs.firmware, needs.unit);
  need.least = std::max({present, machine_with(while_unpacking, needs), machine_with(while_running, needs)});
  need.for_tmpfs = std::max(need.least, machine_with(by_limit, needs));
  need.comfortable = std::max({kUsualMemory, need.for_tmpfs, need.least + align_up(kComfort, kMebibyte)});
  return need;
}

std::uint64_t kernel_own_needs(const ImageInfo& info) {
  return needs_of(info).all;
}

RootType root_type(const MemoryNeed& need, std::uint64_t memory) {
  return memory >= need.for_tmpfs ? RootType::tmpfs : RootType::ramfs;
}

} // namespace ukl
