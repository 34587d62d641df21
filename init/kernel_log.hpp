// SPDX-License-Identifier: GPL-2.0-only
// What Linux says about a program that dies: nothing has to watch the program while it runs.
#pragma once

#include <string>
#include <vector>

namespace ukl::init {

/// The kernel's log (/dev/kmsg) from a moment on.
class KernelLog {
public:
  /// From now on. Without /dev/kmsg there are no lines.
  static KernelLog from_now_on();
  /// The lines logged since then, oldest first, without their prefixes.
  std::vector<std::string> lines() const;

private:
  int fd_ = -1;
};

} // namespace ukl::init
