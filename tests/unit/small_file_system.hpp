// SPDX-License-Identifier: GPL-2.0-only
// A full disk for tests.
#pragma once

#include <filesystem>
#include <fstream>
#include <sched.h>
#include <string>
#include <sys/mount.h>
#include <unistd.h>

namespace ukl::test {

/// Mounts a file system of 1 MiB over `folder`, for this process alone and for good: call it in a child.
/// Returns what failed, with errno set, or nothing.
inline std::string mount_small(const std::filesystem::path& folder) {
  const auto user = std::to_string(getuid()), group = std::to_string(getgid());
  if (unshare(CLONE_NEWNS | (getuid() == 0 ? 0 : CLONE_NEWUSER)) != 0)
    return "unshare";
  if (user != "0") {
    std::ofstream("/proc/self/setgroups") << "deny";
    std::ofstream("/proc/self/uid_map") << "0 " + user + " 1";
    std::ofstream("/proc/self/gid_map") << "0 " + group + " 1";
  }
  if (mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return "mount /";
  return mount("none", folder.c_str(), "tmpfs", 0, "size=1m") == 0 ? "" : "mount " + folder.string();
}

} // namespace ukl::test
