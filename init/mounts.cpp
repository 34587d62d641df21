// SPDX-License-Identifier: GPL-2.0-only
#include "mounts.hpp"

#include "ending.hpp"

#include <cerrno>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl::init {
namespace {

void mount_one(const char* type, const char* path, unsigned long flags, const char* options) {
  mkdir(path, 0755);
  if (mount(type, path, type, flags, options) != 0)
    fail(std::string("cannot mount ") + type + " on " + path + reason());
}

} // namespace

void mount_file_systems() {
  constexpr unsigned long safe = MS_NOSUID | MS_NODEV;
  mount_one("proc", "/proc", safe | MS_NOEXEC, nullptr);
  mount_one("sysfs", "/sys", safe | MS_NOEXEC, nullptr);
  mount_one("devtmpfs", "/dev", MS_NOSUID, "mode=755");
  mount_one("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=620,ptmxmode=666,gid=5");
  mount_one("tmpfs", "/dev/shm", safe, "mode=1777");
  mount_one("tmpfs", "/run", safe, "mode=755");
  struct stat tree;
  if (stat("/tmp", &tree) != 0 && errno == ENOENT)
    mount_one("tmpfs", "/tmp", safe, "mode=1777");

  symlink("/proc/self/fd", "/dev/fd");
  symlink("/proc/self/fd/0", "/dev/stdin");
  symlink("/proc/self/fd/1", "/dev/stdout");
  symlink("/proc/self/fd/2", "/dev/stderr");
}

} // namespace ukl::init
