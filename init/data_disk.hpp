// SPDX-License-Identifier: GPL-2.0-only
// The data that lie behind an image on the disk that it was started from (`ukl export --data`): an ext4 file
// system from a given place to the end of the disk, however long that is by now. Tables of partitions are not
// read and not written; Linux is told of the part by an ioctl.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ukl::init {

/// The part of the disk as a device, once a disk that has it has appeared. `offset` in bytes. Ends the
/// machine if there is none in some seconds: a program without its data is not started.
std::string data_device(const std::string& offset);

/// Lets the file system, which is mounted there, take all of its device. What goes wrong is said.
void grow_data(const std::string& device, const std::string& path);

struct Ext4Size {
  std::uint64_t blocks = 0;
  std::uint32_t block_bytes = 0;
};

/// What a superblock of ext4 with the label of such data says; nothing if it is none.
std::optional<Ext4Size> data_size(std::string_view superblock);

} // namespace ukl::init
