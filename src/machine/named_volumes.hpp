// SPDX-License-Identifier: GPL-2.0-only
// Volumes that have a name in place of a path: disks with ext4 that `ukl volume create` makes, as sparse
// files NAME.ext4 in a folder of their own. What a machine frees, the host gets back (discard).
#pragma once

#include "machine/volumes.hpp"
#include "support/file_lock.hpp"

#include <cstdint>
#include <vector>

namespace ukl {

struct NamedVolume {
  std::string name;
  std::filesystem::path file;
  std::uint64_t size = 0; ///< bytes that a machine sees
  std::uint64_t used = 0; ///< bytes on the host's disk
  bool in_use = false;    ///< a machine has it
};

/// Makes one of `size` bytes, at least 2 MiB, with what the folder `from` holds, unless that is empty: owners
/// and permissions stay. Errors: usage (no name, or too small), name_in_use, missing_tool (e2fsprogs),
/// not_found, disk_full, unwritable.
Result<void> create_volume(const std::filesystem::path& folder, const std::string& name, std::uint64_t size,
                           const std::filesystem::path& from);
/// All, by name.
std::vector<NamedVolume> named_volumes(const std::filesystem::path& folder);
/// Errors: not_found, volume_in_use, unwritable.
Result<void> remove_volume(const std::filesystem::path& folder, const std::string& name);
/// Another one that holds the same. Errors: not_found, name_in_use, volume_in_use, disk_full, unwritable.
Result<void> copy_volume(const std::filesystem::path& folder, const std::string& from, const std::string& to);

/// `NAME:GUEST[:ro]`, if the text's first part is the name of one (a path has a slash, or a dot first).
/// Error: usage.
Result<std::optional<Volume>> parse_named_volume(const std::filesystem::path& folder,
                                                 const std::string& text);

/// Takes a named volume for a machine: nobody else may have it as long as the lock lives. A file system that
/// was not left in order is repaired, as at any start. Errors: volume_in_use, unreadable (it cannot be
/// repaired without being asked), missing_tool.
Result<FileLock> take_volume(const Volume& volume);

} // namespace ukl
