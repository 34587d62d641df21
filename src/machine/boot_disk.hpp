// SPDX-License-Identifier: GPL-2.0-only
// An image on a medium that boots by itself, on BIOS and on UEFI: with GRUB, which loads the image by its
// Multiboot2 header. Made by GRUB's own grub-mkrescue; one ISO 9660 file is a CD and a disk at once.
#pragma once

#include "support/reporter.hpp"
#include "support/result.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace ukl {

enum class DiskFormat { iso, raw, qcow2, vmdk, vhd };

/// `iso`, `raw`, `qcow2`, `vmdk`, `vhd`. Error: usage.
Result<DiskFormat> parse_disk_format(const std::string& text);

/// What GRUB is told: loads /image.ukl at once, with these kernel parameters. Error: usage (a line break in
/// them).
Result<std::string> grub_configuration(const std::string& parameters);

/// An ext4 file system behind the image, for the program's data: empty, grown to the disk's end at each
/// start.
struct DiskData {
  std::uint64_t bytes = 0; ///< 0: none
  std::string path;        ///< where the program finds it
};

/// `SIZE` or `SIZE:/PATH`, the path being /data otherwise. Error: usage.
Result<DiskData> parse_disk_data(const std::string& text);

/// Makes it. `output` appears when it is whole. Errors: missing_tool (with the packages' names), disk_full,
/// unwritable, usage (data on a CD among them), interrupted.
Result<void> make_boot_disk(const std::filesystem::path& image, const std::filesystem::path& output,
                            DiskFormat format, const std::string& parameters, const DiskData& data);

} // namespace ukl
