// SPDX-License-Identifier: GPL-2.0-only
#include "run_files.hpp"

#include "ending.hpp"
#include "mounts.hpp"
#include "ukl/run_settings.hpp"
#include "user.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl::init {
namespace {

void write_file(const std::string& path, std::string_view contents, mode_t mode, uid_t user, gid_t group) {
  make_folders(path.substr(0, path.rfind('/')));
  // Another file and not other contents: the image's may be linked to from elsewhere, or be running.
  if (unlink(path.c_str()) != 0 && errno != ENOENT)
    fail("cannot replace " + path + reason());
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  bool good = fd >= 0;
  while (good && !contents.empty()) {
    const ssize_t put = write(fd, contents.data(), contents.size());
    good = put >= 0 || errno == EINTR;
    contents.remove_prefix(put > 0 ? static_cast<std::size_t>(put) : 0);
  }
  if (!good || fchown(fd, user, group) != 0 || fchmod(fd, mode) != 0)
    fail("cannot write " + path + reason());
  close(fd);
}

// What stands before and behind the first NUL.
std::pair<std::string, std::string_view> split(const std::string& value) {
  const auto end = value.find('\0');
  if (end == std::string::npos)
    fail("a file of this run has no contents");
  return {value.substr(0, end), std::string_view(value).substr(end + 1)};
}

} // namespace

void write_run_files(const Manifest& settings) {
  for (const auto& file : values_of(settings, key::file)) {
    const auto [head, contents] = split(file);
    char* path = nullptr;
    const auto mode = static_cast<mode_t>(strtoul(head.c_str(), &path, 8));
    if (*path != ' ' || path[1] != '/')
      fail("a file of this run is MODE /PATH, not '" + head + "'");
    write_file(path + 1, contents, mode & 07777, 0, 0);
  }

  const auto secrets = values_of(settings, key::secret);
  if (secrets.empty())
    return;
  make_folders(kSecretsFolder);
  if (mount("tmpfs", kSecretsFolder, "tmpfs", MS_NODEV | MS_NOSUID | MS_NOEXEC, "mode=755") != 0)
    fail(std::string("cannot mount a tmpfs on ") + kSecretsFolder + reason());
  const User owner = find_user(settings);
  for (const auto& secret : secrets) {
    const auto [name, contents] = split(secret);
    if (name.empty() || name.find('/') != std::string::npos)
      fail("a secret has a name, not '" + name + "'");
    write_file(std::string(kSecretsFolder) + "/" + name, contents, 0400, owner.user, owner.group);
  }
}

} // namespace ukl::init
