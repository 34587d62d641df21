// SPDX-License-Identifier: GPL-2.0-only
#include "volumes.hpp"

#include "data_disk.hpp"
#include "ending.hpp"
#include "mounts.hpp"

#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl::init {
namespace {

std::vector<std::string> mounted;

// Options of Linux's fs/9p (Documentation/filesystems/9p.rst). Under cache=none a shared mapping that could
// be written is refused; the modes that allow one lose its stores when the file is also written otherwise.
// The message size is the largest that one virtio request holds.
constexpr const char* k9pOptions = "trans=virtio,version=9p2000.L,cache=none,msize=512000";

// `TYPE[,ro][,file]:SOURCE:/PATH`.
struct Volume {
  std::string type, source, path;
  bool read_only = false, file = false, discard = false;
};

Volume read_volume(const std::string& text) {
  const auto first = text.find(':');
  const auto second = first == std::string::npos ? first : text.find(':', first + 1);
  if (second == std::string::npos || second + 1 >= text.size() || text[second + 1] != '/')
    fail("a volume is TYPE:SOURCE:/PATH, not '" + text + "'");
  Volume volume{text.substr(0, first), text.substr(first + 1, second - first - 1), text.substr(second + 1)};
  for (auto comma = volume.type.rfind(','); comma != std::string::npos; comma = volume.type.rfind(',')) {
    const auto option = volume.type.substr(comma + 1);
    if (option == "ro")
      volume.read_only = true;
    else if (option == "file")
      volume.file = true;
    else if (option == "discard")
      volume.discard = true;
    else
      fail("a volume has no option '" + option + "'");
    volume.type.resize(comma);
  }
  return volume;
}

bool mount_one(const Volume& volume, const std::string& path) {
  const unsigned long flags = MS_NODEV | (volume.read_only ? MS_RDONLY : 0);
  if (volume.type == "9p")
    return mount(volume.source.c_str(), path.c_str(), "9p", flags, k9pOptions) == 0;
  if (volume.type == "virtiofs")
    return mount(volume.source.c_str(), path.c_str(), "virtiofs", flags, nullptr) == 0;
  if (volume.type == "blk")
    return mount(("/dev/" + volume.source).c_str(), path.c_str(), "ext4", flags,
                 volume.discard && !volume.read_only ? "discard" : nullptr) == 0;
  if (volume.type == "rest") {
    const auto device = data_device(volume.source);
    if (mount(device.c_str(), path.c_str(), "ext4", flags, nullptr) != 0)
      return false;
    grow_data(device, path);
    return true;
  }
  if (volume.type == "tmpfs")
    return mount("tmpfs", path.c_str(), "tmpfs", flags | MS_NOSUID,
                 ("mode=1777" + (volume.source == "0" ? "" : ",size=" + volume.source)).c_str()) == 0;
  errno = EINVAL;
  return false;
}

bool is_new(const std::string& path) {
  bool empty = true;
  DIR* folder = opendir(path.c_str());
  if (!folder)
    return false;
  while (const dirent* entry = readdir(folder)) {
    const std::string name = entry->d_name;
    empty = empty && (name == "." || name == ".." || name == "lost+found");
  }
  closedir(folder);
  return empty;
}

// A file system on which nobody has written yet is for whom the image's folder is, as a new volume of a
// container engine's: a service with a user of its own could not begin on it otherwise.
void hand_over(const std::string& path, const struct stat& folder) {
  struct stat root;
  if (stat(path.c_str(), &root) != 0 || root.st_uid != 0 || root.st_gid != 0 || !is_new(path))
    return;
  if (chown(path.c_str(), folder.st_uid, folder.st_gid) != 0 ||
      chmod(path.c_str(), folder.st_mode & 07777) != 0)
    say("cannot give the new volume on " + path + " to its owner" + reason());
}

void mount_folder(const Volume& volume) {
  make_folders(volume.path);
  struct stat folder;
  const bool known = stat(volume.path.c_str(), &folder) == 0;
  if (!mount_one(volume, volume.path))
    fail("cannot mount the " + volume.type + " volume '" + volume.source + "' on " + volume.path + reason());
  if (known && !volume.read_only && (volume.type == "blk" || volume.type == "rest"))
    hand_over(volume.path, folder);
  mounted.push_back(volume.path);
}

// Only a file can be mounted over a file.
void make_file(const std::string& path) {
  if (const auto slash = path.rfind('/'); slash > 0)
    make_folders(path.substr(0, slash));
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd >= 0)
    close(fd);
}

void mount_file(const Volume& volume) {
  const std::string folder = "/.ukl/" + volume.source;
  make_folders(folder);
  make_file(volume.path);
  if (!mount_one(volume, folder) ||
      mount((folder + "/" + kVolumeFile).c_str(), volume.path.c_str(), nullptr, MS_BIND, nullptr) != 0)
    fail("cannot mount the " + volume.type + " file '" + volume.source + "' on " + volume.path + reason());
  // The file keeps what it is in.
  umount2(folder.c_str(), MNT_DETACH);
  rmdir(folder.c_str());
  mounted.push_back(volume.path);
}

} // namespace

void mount_volumes(const Manifest& settings) {
  for (const auto& text : values_of(settings, key::volume)) {
    const auto volume = read_volume(text);
    if (volume.file)
      mount_file(volume);
    else
      mount_folder(volume);
  }
  // Last, for what has to be made for the others.
  if (value_of(settings, key::read_only) == "1" &&
      mount(nullptr, "/", nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0)
    fail("cannot make the root tree read-only" + reason());
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
