// SPDX-License-Identifier: GPL-2.0-only
#include "ports.hpp"

#include "ending.hpp"
#include "settings.hpp"

#include <cerrno>
#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr long kLongestWait = 10000; // milliseconds

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

// Linux's messages about devices (kobject_uevent(7) of sorts: lib/kobject_uevent.c); a port's name is one.
int open_device_messages() {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = 1;
  if (fd >= 0 && bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return fd;
  close(fd);
  return -1;
}

long now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

std::string wait_for_port(const char* name) {
  std::string path = find_port(name);
  if (!path.empty())
    return path;
  // First listen, then look: nothing falls between.
  const int messages = open_device_messages();
  path = find_port(name);
  for (const long end = now() + kLongestWait; messages >= 0 && path.empty() && now() < end;) {
    pollfd event = {messages, POLLIN, 0};
    poll(&event, 1, static_cast<int>(end - now()));
    char message[8192];
    while (recv(messages, message, sizeof message, 0) > 0) {
    }
    path = find_port(name);
  }
  close(messages);
  return path;
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
