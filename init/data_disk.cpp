// SPDX-License-Identifier: GPL-2.0-only
#include "data_disk.hpp"

#include "block_devices.hpp"
#include "ending.hpp"
#include "ukl/manifest.hpp"

#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <linux/blkpg.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace ukl::init {
namespace {

// Linux: fs/ext4/ext4.h, struct ext4_super_block and EXT4_IOC_RESIZE_FS.
constexpr std::size_t kSuperblock = 1024, kSuperblockBytes = 1024, kBlocks = 4, kBlockShift = 24, kMagic = 56,
                      kLabel = 120, kBlocksHigh = 0x150;
constexpr std::uint16_t kExt4 = 0xef53;
constexpr unsigned long kResize = _IOW('f', 16, std::uint64_t);

// Beyond those of any table.
constexpr int kPartition = 15;

std::uint64_t wanted_offset = 0;

template <typename Number> Number number_at(std::string_view bytes, std::size_t at) {
  Number number = 0;
  memcpy(&number, bytes.data() + at, sizeof number);
  return number;
}

bool has_data(const std::string& name) {
  return data_size(read_device(name, wanted_offset + kSuperblock, kSuperblockBytes)).has_value();
}

std::uint64_t bytes_of(int fd) {
  std::uint64_t bytes = 0;
  return ioctl(fd, BLKGETSIZE64, &bytes) == 0 ? bytes : 0;
}

// Where the disk's name ends in a digit, Linux puts a letter between.
std::string partition_of(const std::string& disk) {
  const bool digit = isdigit(static_cast<unsigned char>(disk.back()));
  return "/dev/" + disk + (digit ? "p" : "") + std::to_string(kPartition);
}

} // namespace

std::optional<Ext4Size> data_size(std::string_view superblock) {
  if (superblock.size() < kSuperblockBytes || number_at<std::uint16_t>(superblock, kMagic) != kExt4 ||
      !superblock.substr(kLabel, 16).starts_with(std::string(kDataLabel) + '\0'))
    return std::nullopt;
  const auto shift = number_at<std::uint32_t>(superblock, kBlockShift);
  if (shift > 6)
    return std::nullopt;
  const std::uint64_t high = number_at<std::uint32_t>(superblock, kBlocksHigh);
  return Ext4Size{high << 32 | number_at<std::uint32_t>(superblock, kBlocks), 1024U << shift};
}

std::string data_device(const std::string& offset) {
  wanted_offset = strtoull(offset.c_str(), nullptr, 10);
  const auto disk = wait_for_block_device(has_data);
  if (disk.empty())
    fail("no disk with this image's data (" + std::string(kDataLabel) + " at byte " + offset +
         ") has appeared in " + std::to_string(kDiskPatience) + " s");
  const int fd = open(("/dev/" + disk).c_str(), O_RDWR | O_CLOEXEC);
  const auto end = fd < 0 ? 0 : bytes_of(fd);
  blkpg_partition part = {};
  part.start = static_cast<long long>(wanted_offset);
  part.length = static_cast<long long>((end - wanted_offset) & ~std::uint64_t{4095});
  part.pno = kPartition;
  blkpg_ioctl_arg argument = {BLKPG_ADD_PARTITION, 0, sizeof part, &part};
  if (end <= wanted_offset || ioctl(fd, BLKPG, &argument) != 0)
    fail("cannot use the data on " + disk + reason());
  close(fd);
  return partition_of(disk);
}

void grow_data(const std::string& device, const std::string& path) {
  const auto size =
      data_size(read_device(device.substr(device.rfind('/') + 1), kSuperblock, kSuperblockBytes));
  const int disk = open(device.c_str(), O_RDONLY | O_CLOEXEC);
  const auto bytes = disk < 0 ? 0 : bytes_of(disk);
  if (disk >= 0)
    close(disk);
  if (!size || bytes / size->block_bytes <= size->blocks)
    return;
  std::uint64_t blocks = bytes / size->block_bytes;
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 || ioctl(fd, kResize, &blocks) != 0)
    say("cannot grow the data on " + path + " to its disk's size" + reason());
  if (fd >= 0)
    close(fd);
}

} // namespace ukl::init
