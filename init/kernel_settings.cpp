// SPDX-License-Identifier: GPL-2.0-only
#include "kernel_settings.hpp"

#include "ending.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

namespace ukl::init {

namespace {

// What a program reads, somebody may read through it who should not: where the kernel is (it is elsewhere at
// each start), and its log. Root may too, unless the first is 2; Debian's own kernels have the second.
constexpr std::pair<const char*, const char*> kDefaults[] = {{"/proc/sys/kernel/kptr_restrict", "2"},
                                                             {"/proc/sys/kernel/dmesg_restrict", "1"}};

bool write_setting(const std::string& path, std::string_view value) {
  const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  const bool written = write(fd, value.data(), value.size()) >= 0;
  const int error = errno;
  close(fd);
  errno = error;
  return written;
}

} // namespace

void set_kernel_settings(const Manifest& settings) {
  // A kernel of the user's own may lack them.
  for (const auto& [path, value] : kDefaults)
    write_setting(path, value);
  for (const auto& setting : values_of(settings, key::sysctl)) {
    const auto colon = setting.find(':');
    if (colon == std::string::npos)
      fail("a kernel setting is NAME:VALUE, not '" + setting + "'");
    std::string path = setting.substr(0, colon);
    std::replace(path.begin(), path.end(), '.', '/');
    path = "/proc/sys/" + path;
    const std::string value = setting.substr(colon + 1);
    if (!write_setting(path, value))
      fail("cannot set the kernel's '" + setting + "'" + reason());
  }
}

} // namespace ukl::init
