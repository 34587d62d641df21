// SPDX-License-Identifier: GPL-2.0-only
// What `ukl run --volume` names: folders, single files and disks of the host that the program sees.
#pragma once

#include "support/result.hpp"

#include <filesystem>
#include <optional>
#include <string>

namespace ukl {

/// What a volume is on the host.
enum class VolumeKind {
  folder,
  file, ///< one file, which the program sees as a file
  disk, ///< a file or block device with an ext4 file system, which the program sees as a folder
};

/// How a folder or a file reaches the machine.
enum class Transport {
  automatic, ///< virtiofs; 9p if that cannot be had and the volume is read-only
  virtiofs,  ///< keeps descriptors of files, so everything is as on the host (src/machine/virtiofs.hpp)
  ninep,     ///< QEMU's own server, which works by path; docs/limits.md says what that means
};

struct Volume {
  std::filesystem::path host; ///< canonical
  std::string guest;          ///< absolute path
  VolumeKind kind = VolumeKind::folder;
  Transport transport = Transport::automatic; ///< of a folder or a file
  bool read_only = false;
  /// Other machines may have the folder too, and locks are the host's. Otherwise they are the machine's own.
  bool shared = false;
  bool named = false; ///< a disk of `ukl volume create` (named_volumes.hpp)
};

/// `HOST:GUEST[:OPTION,…]`, where HOST exists and GUEST is absolute. The options are `ro`, `shared`,
/// `virtiofs` and `9p` (for folders), `disk` and `file` (for a file whose content does not show what it is
/// meant to be).
/// Errors: usage, not_found.
Result<Volume> parse_volume(const std::string& text);

/// The error for a disk that another machine has, if QEMU's standard error says so (its image locking:
/// block/file-posix.c).
std::optional<Error> explain_disk_in_use(const std::string& errors);

} // namespace ukl
