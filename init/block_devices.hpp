// SPDX-License-Identifier: GPL-2.0-only
// Looking for a disk by what is on it.
#pragma once

#include <cstdint>
#include <string>

namespace ukl::init {

/// Calls `is_it` with the name (`vda`, `sda1`) of each block device, and of those that appear, until it says
/// yes, or some seconds are over. Returns that name; empty if there is none.
std::string wait_for_block_device(bool (*is_it)(const std::string& name));
constexpr int kDiskPatience = 5; ///< seconds: disks of slow controllers are found after Linux has started

/// Bytes of a device; less, or none, where it ends or cannot be read.
std::string read_device(const std::string& name, std::uint64_t offset, std::size_t size);

} // namespace ukl::init
