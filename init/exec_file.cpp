// SPDX-License-Identifier: GPL-2.0-only
#include "exec_file.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr int kDeepest = 128; // folders in folders

void add_files(const std::string& path, int depth, std::string& list) {
  struct stat info = {};
  if (lstat(path.c_str(), &info) != 0)
    return;
  const bool folder = S_ISDIR(info.st_mode), link = S_ISLNK(info.st_mode);
  if (!folder && !link && !S_ISREG(info.st_mode))
    return;
  char head[64];
  snprintf(head, sizeof head, "%c %o %llu ",
           folder ? 'd'
           : link ? 'l'
                  : 'f',
           info.st_mode & 07777U, static_cast<unsigned long long>(info.st_size));
  list += head + path + '\0';
  if (!folder || depth == kDeepest)
    return;
  DIR* entries = opendir(path.c_str());
  if (!entries)
    return;
  while (const dirent* entry = readdir(entries)) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..")
      add_files(path == "/" ? "/" + name : path + "/" + name, depth + 1, list);
  }
  closedir(entries);
}

} // namespace

std::string list_files(const std::string& path) {
  // Named by whoever asks, a link is what it leads to.
  struct stat info = {};
  std::string list;
  if (stat(path.c_str(), &info) != 0)
    return list;
  char* real = S_ISDIR(info.st_mode) ? nullptr : realpath(path.c_str(), nullptr);
  add_files(real ? real : path + (S_ISDIR(info.st_mode) && path != "/" ? "/." : ""), 0, list);
  free(real);
  return list;
}

int open_to_get(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat info = {};
  if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
    return fd;
  if (fd >= 0) {
    close(fd);
    errno = S_ISDIR(info.st_mode) ? EISDIR : EINVAL;
  }
  return -1;
}

int open_to_put(const std::string& path, unsigned mode) {
  // A program that runs keeps the file that it has.
  struct stat info = {};
  if (lstat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode))
    unlink(path.c_str());
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600);
  if (fd >= 0 && fchmod(fd, mode & 07777) != 0) {
    const int error = errno;
    close(fd);
    errno = error;
    return -1;
  }
  return fd;
}

bool make_folder(const std::string& path, unsigned mode) {
  struct stat info = {};
  if (mkdir(path.c_str(), mode & 07777) == 0)
    return chmod(path.c_str(), mode & 07777) == 0;
  return errno == EEXIST && stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

} // namespace ukl::init
