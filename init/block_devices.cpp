// SPDX-License-Identifier: GPL-2.0-only
#include "block_devices.hpp"

#include "ending.hpp"

#include <ctime>
#include <dirent.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl::init {
namespace {

std::int64_t now() {
  timespec time = {};
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

std::string find_block_device(bool (*is_it)(const std::string& name)) {
  std::string found;
  DIR* folder = opendir("/sys/class/block");
  if (!folder)
    return found;
  while (const dirent* entry = readdir(folder))
    if (entry->d_name[0] != '.' && is_it(entry->d_name))
      found = entry->d_name;
  closedir(folder);
  return found;
}

// Linux says there which devices it has found.
int open_device_news() {
  const int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
  sockaddr_nl own = {};
  own.nl_family = AF_NETLINK;
  own.nl_groups = 1;
  if (fd < 0 || bind(fd, reinterpret_cast<const sockaddr*>(&own), sizeof own) != 0)
    fail("cannot wait for disks" + reason());
  return fd;
}

} // namespace

std::string wait_for_block_device(bool (*is_it)(const std::string& name)) {
  const int news = open_device_news();
  const auto until = now() + std::int64_t{1000} * kDiskPatience;
  std::string found = find_block_device(is_it);
  for (std::int64_t left; found.empty() && (left = until - now()) > 0;) {
    pollfd event = {news, POLLIN, 0};
    char drained[4096];
    if (poll(&event, 1, static_cast<int>(left)) > 0 && recv(news, drained, sizeof drained, 0) > 0)
      found = find_block_device(is_it);
  }
  close(news);
  return found;
}

std::string read_device(const std::string& name, std::uint64_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  const int fd = open(("/dev/" + name).c_str(), O_RDONLY | O_CLOEXEC);
  const ssize_t got = fd < 0 ? -1 : pread(fd, bytes.data(), size, static_cast<off_t>(offset));
  if (fd >= 0)
    close(fd);
  bytes.resize(got < 0 ? 0 : static_cast<std::size_t>(got));
  return bytes;
}

} // namespace ukl::init
