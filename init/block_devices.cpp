// SPDX-License-Identifier: GPL-2.0-only
#include "block_devices.hpp"

#include "device_news.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

namespace ukl::init {
namespace {

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

} // namespace

std::string wait_for_block_device(bool (*is_it)(const std::string& name)) {
  return wait_for_device([is_it] { return find_block_device(is_it); }, 1000 * kDiskPatience);
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
