// SPDX-License-Identifier: GPL-2.0-only
// What is to be done even if nobody lets us: SIGKILL ends a process without a last word.
#pragma once

#include "support/files.hpp"

#include <functional>
#include <sys/types.h>

namespace ukl {

/// A copy of this process, which waits in a session of its own and does `act` if we end while this object is
/// there. The copy has the descriptors that are open when it is made. The destructor ends it, undone.
class IfKilled {
public:
  /// Errors: filesystem (no process, or no pipe).
  static Result<IfKilled> start(const std::function<void()>& act);

  IfKilled(IfKilled&& other) noexcept;
  IfKilled& operator=(IfKilled&&) = delete;
  ~IfKilled();

private:
  IfKilled(pid_t pid, FileDescriptor ours) : pid_(pid), ours_(std::move(ours)) {}
  pid_t pid_;
  FileDescriptor ours_; // of the pipe whose other end the copy reads
};

} // namespace ukl
