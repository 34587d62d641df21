// SPDX-License-Identifier: GPL-2.0-only
#include "mounts.hpp"

#include "ending.hpp"
#include "move_tree.hpp"
#include "settings.hpp"
#include "ukl/manifest.hpp"

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <linux/magic.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysinfo.h>
#include <sys/vfs.h>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr const char* kNewRoot = "/.ukl/root";
constexpr const char* kPackedDevices = "/.ukl/dev";

void mount_one(const char* type, const char* path, unsigned long flags, const char* options) {
  mkdir(path, 0755);
  if (mount(type, path, type, flags, options) != 0)
    fail(std::string("cannot mount ") + type + " on " + path + reason());
}

bool is_complete() {
  return read_whole(kCompletePath) == kCompleteText;
}

bool has_more_than(const char* folder, const char* name) {
  DIR* stream = opendir(folder);
  bool more = false;
  while (const dirent* entry = stream ? readdir(stream) : nullptr)
    more = more || (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
                    strcmp(entry->d_name, name) != 0);
  if (stream)
    closedir(stream);
  return more;
}

// A ramfs has no size, so that a program that asks how much room there is would be told that there is none,
// and no fallocate. `ukl run` chooses it where the image would not fit into the tmpfs that Linux unpacks
// into.
void move_root_to_tmpfs() {
  mount_one("tmpfs", kNewRoot, 0, "mode=755,size=100%,nr_inodes=1g");
  // What runs here keeps its pages in any case: a copy would be a tenth of the smallest machine.
  unlink("/init");
  move_tree("", kNewRoot, kNewRoot);
  if (chdir(kNewRoot) != 0 || mount(".", "/", nullptr, MS_MOVE, nullptr) != 0 || chroot(".") != 0 ||
      chdir("/") != 0)
    fail("cannot make " + std::string(kNewRoot) + " the root" + reason());
}

// Linux lets the root tree fill half of the memory that was free before the payload was unpacked. Now that
// the payload is gone it may have most of what is left; an eighth stays, so that a full disk is a full disk
// and not the end of a process. A file takes about a kilobyte besides its contents.
void widen_root() {
  struct statfs root;
  struct sysinfo memory;
  if (statfs("/", &root) != 0 || root.f_type != TMPFS_MAGIC || sysinfo(&memory) != 0)
    return;
  const unsigned long long available = memory.freeram * memory.mem_unit / 8 * 7;
  const unsigned long long size =
      (root.f_blocks - root.f_bfree) * static_cast<unsigned long long>(root.f_bsize);
  const unsigned long long files = root.f_files - root.f_ffree;
  const std::string options =
      "size=" + std::to_string(size + available) + ",nr_inodes=" + std::to_string(files + available / 1024);
  if (mount(nullptr, "/", nullptr, MS_REMOUNT, options.c_str()) != 0)
    say("cannot make room in the root tree" + reason());
}

// Linux makes its first root writable for everybody, as if it were /tmp; sshd and others refuse a machine
// with such a root. An image that brings a folder / of its own keeps what that has.
void close_root() {
  struct stat root;
  if (stat("/", &root) == 0 && (root.st_mode & 07777) == 01777)
    chmod("/", 0755);
}

} // namespace

void make_folders(const std::string& path) {
  for (std::size_t slash = path.find('/', 1); slash != std::string::npos; slash = path.find('/', slash + 1))
    mkdir(path.substr(0, slash).c_str(), 0755);
  mkdir(path.c_str(), 0755);
}

void mount_file_systems() {
  if (is_complete()) {
    struct statfs root;
    if (statfs("/", &root) == 0 && root.f_type == RAMFS_MAGIC)
      move_root_to_tmpfs();
    widen_root();
  }
  close_root();
  // The devices' own file system would hide what the image has there.
  const bool packed_devices = has_more_than("/dev", "console") && rename("/dev", kPackedDevices) == 0;

  constexpr unsigned long safe = MS_NOSUID | MS_NODEV;
  mount_one("proc", "/proc", safe | MS_NOEXEC, nullptr);
  mount_one("sysfs", "/sys", safe | MS_NOEXEC, nullptr);
  mount_one("devtmpfs", "/dev", MS_NOSUID, "mode=755");
  mount_one("devpts", "/dev/pts", MS_NOSUID | MS_NOEXEC, "mode=620,ptmxmode=666,gid=5");
  mount_one("tmpfs", "/dev/shm", safe, "mode=1777");
  // /run and /tmp are folders of the root tree, which is in memory anyway: what the image has there stays.
  mkdir("/run", 0755);
  if (mkdir("/tmp", 0) == 0)
    chmod("/tmp", 01777);

  symlink("/proc/self/fd", "/dev/fd");
  symlink("/proc/self/fd/0", "/dev/stdin");
  symlink("/proc/self/fd/1", "/dev/stdout");
  symlink("/proc/self/fd/2", "/dev/stderr");

  if (packed_devices) {
    move_tree(kPackedDevices, "/dev", "/.ukl/dev/console");
    unlink("/.ukl/dev/console");
    rmdir(kPackedDevices);
  }
}

void check_root_tree() {
  if (!is_complete())
    fail("the image's files are not all there: they did not fit into the machine's memory; give it more (ukl "
         "run -m; ukl inspect says how much it needs)");
}

} // namespace ukl::init
