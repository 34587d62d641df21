// SPDX-License-Identifier: GPL-2.0-only
#include "ports.hpp"

#include "device_news.hpp"
#include "ending.hpp"
#include "settings.hpp"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <string>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr int kLongestWait = 10000; // milliseconds

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

std::string wait_for_port(const char* name) {
  return wait_for_device([name] { return find_port(name); }, kLongestWait);
}

} // namespace

int open_port(const char* name) {
  const std::string path = wait_for_port(name);
  const int fd = path.empty() ? -1 : open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (fd < 0)
    say(std::string("the machine has no port ") + name + (path.empty() ? std::string() : reason()));
  return fd;
}

} // namespace ukl::init
