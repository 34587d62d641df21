// SPDX-License-Identifier: GPL-2.0-only
#include "volumes.hpp"

#include "ending.hpp"

#include <cerrno>
#include <sys/mount.h>
#include <sys/stat.h>

namespace ukl::init {
namespace {

std::vector<std::string> mounted;

void make_folders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    mkdir(path.substr(0, slash).c_str(), 0755);
  mkdir(path.c_str(), 0755);
}

// Options of Linux's fs/9p (Documentation/filesystems/9p.rst). cache=mmap is the least caching under which a
// shared writable mapping works; the message size is the largest that one virtio request holds.
constexpr const char* k9pOptions = "trans=virtio,version=9p2000.L,cache=mmap,msize=512000";

bool mount_one(std::string_view type, const std::string& source, const std::string& path) {
  if (type == "9p")
    return mount(source.c_str(), path.c_str(), "9p", MS_NODEV, k9pOptions) == 0;
  if (type == "virtiofs")
    return mount(source.c_str(), path.c_str(), "virtiofs", MS_NODEV, nullptr) == 0;
  if (type == "blk")
    return mount(("/dev/" + source).c_str(), path.c_str(), "ext4", MS_NODEV, nullptr) == 0;
  errno = EINVAL;
  return false;
}

} // namespace

void mount_volumes(const Manifest& settings) {
  for (const auto& volume : values_of(settings, key::volume)) {
    const auto first = volume.find(':');
    const auto second = first == std::string::npos ? first : volume.find(':', first + 1);
    if (second == std::string::npos || second + 1 >= volume.size() || volume[second + 1] != '/')
      fail("a volume is TYPE:SOURCE:/PATH, not '" + volume + "'");
    const std::string type = volume.substr(0, first), source = volume.substr(first + 1, second - first - 1);
    const std::string path = volume.substr(second + 1);
    make_folders(path);
    if (!mount_one(type, source, path))
      fail("cannot mount the " + type + " volume '" + source + "' on " + path + reason());
    mounted.push_back(path);
  }
}

bool unmount_volumes() {
  bool clean = true;
  for (; !mounted.empty(); mounted.pop_back()) {
    if (umount2(mounted.back().c_str(), 0) == 0)
      continue;
    say("cannot unmount " + mounted.back() + reason());
    clean = false;
  }
  return clean;
}

} // namespace ukl::init
