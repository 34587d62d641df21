// SPDX-License-Identifier: GPL-2.0-only
// A lock between processes: one builds, the others wait for it.
#pragma once

#include "support/files.hpp"
#include "support/reporter.hpp"

namespace ukl {

/// Holds flock(2) on a file until destroyed; the kernel drops it too if the process dies. The file stays:
/// removing it would let a third process lock a new one under the same name.
class FileLock {
public:
  /// Waits for whoever holds it, after saying so to `reporter`: `what` names what is being waited for ("the
  /// kernel general-0123"). Errors: unwritable, interrupted.
  static Result<FileLock> wait(const std::filesystem::path& path, const std::string& what,
                               Reporter& reporter);
  /// The lock, or nothing if somebody else holds it. Error: unwritable.
  static Result<std::optional<FileLock>> try_lock(const std::filesystem::path& path);

private:
  explicit FileLock(FileDescriptor fd) : fd_(std::move(fd)) {}
  FileDescriptor fd_;
};

} // namespace ukl
