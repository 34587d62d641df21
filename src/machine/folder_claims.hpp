// SPDX-License-Identifier: GPL-2.0-only
// Which machines have a folder now, or one inside it. Unless it is attached as shared, a machine keeps its
// locks to itself (over virtiofs) or is granted every lock (over 9p); so no other may have it at the same
// time.
#pragma once

#include "machine/volumes.hpp"
#include "support/files.hpp"

#include <map>

namespace ukl {

/// What a machine does with a folder or a file.
enum class FolderUse {
  alone,   ///< goes with nothing
  reading, ///< goes with reading
  shared,  ///< goes with shared
};

/// The claims of one machine, which hold for as long as the object or a copy of one of its descriptors is
/// there. A claim is a read lock (fcntl(2), open file description locks) on bytes far behind any that a
/// program would lock in a folder: on the folder, and on each folder that it lies in; it changes nothing
/// there.
class FolderClaims {
public:
  /// Errors: volume_in_use (another machine has the folder, one in which it lies, or one inside it, and the
  /// two uses do not go together; or this machine has the same folder), unreadable. A file system that has no
  /// locks is let through, and so are folders on the way that we may not read.
  Result<void> claim(const std::filesystem::path& folder, FolderUse use);

  /// All descriptors that hold a claim.
  std::vector<int> descriptors() const;

private:
  Result<int> open_once(const std::filesystem::path& folder);

  std::map<std::filesystem::path, FileDescriptor> folders_;
  std::vector<std::filesystem::path> claimed_;
};

} // namespace ukl
