// SPDX-License-Identifier: GPL-2.0-only
#include "kernel_settings.hpp"

#include "ending.hpp"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>

namespace ukl::init {

void set_kernel_settings(const Manifest& settings) {
  for (const auto& setting : values_of(settings, key::sysctl)) {
    const auto colon = setting.find(':');
    if (colon == std::string::npos)
      fail("a kernel setting is NAME:VALUE, not '" + setting + "'");
    std::string path = setting.substr(0, colon);
    std::replace(path.begin(), path.end(), '.', '/');
    path = "/proc/sys/" + path;
    const std::string value = setting.substr(colon + 1);
    const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, value.data(), value.size()) < 0)
      fail("cannot set the kernel's '" + setting + "'" + reason());
    close(fd);
  }
}

} // namespace ukl::init
