// SPDX-License-Identifier: GPL-2.0-only
#include "ports.hpp"

#include "settings.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <string>
#include <unistd.h>

namespace ukl::init {
namespace {

// The driver's folder holds a link per device beside its own files (bind, uevent …).
bool has_device() {
  DIR* folder = opendir("/sys/bus/virtio/drivers/virtio_console");
  bool found = false;
  if (!folder)
    return false;
  while (const dirent* entry = readdir(folder))
    found = found || std::string_view(entry->d_name).starts_with("virtio");
  closedir(folder);
  return found;
}

// The device node of the port of this name; empty if there is none yet.
std::string find_port(std::string_view name) {
  std::string found;
  DIR* folder = opendir("/sys/class/virtio-ports");
  if (!folder)
    return found;
  while (const dirent* entry = readdir(folder)) {
    const std::string port = entry->d_name;
    if (port[0] == '.')
      continue;
    const std::string text = read_whole(("/sys/class/virtio-ports/" + port + "/name").c_str());
    if (text.substr(0, text.find('\n')) == name)
      found = "/dev/" + port;
  }
  closedir(folder);
  return found;
}

// Right after a port got its name Linux may not know yet that the host end is open, and reads would see its
// end.
void wait_for_host(int fd, int milliseconds) {
  for (; milliseconds > 0; --milliseconds) {
    pollfd state = {fd, POLLIN, 0};
    if (poll(&state, 1, 0) >= 0 && !(state.revents & POLLHUP))
      return;
    usleep(1000);
  }
}

} // namespace

int open_port(const char* name, int milliseconds) {
  if (!has_device())
    return -1;
  std::string path = find_port(name);
  for (int waited = 0; path.empty() && waited < milliseconds; ++waited) {
    usleep(1000);
    path = find_port(name);
  }
  const int fd = path.empty() ? -1 : open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd >= 0)
    wait_for_host(fd, kWaitForPorts);
  return fd;
}

} // namespace ukl::init
