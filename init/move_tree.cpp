// SPDX-License-Identifier: GPL-2.0-only
#include "move_tree.hpp"

#include "ending.hpp"

#include <cerrno>
#include <climits>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <map>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace ukl::init {
namespace {

constexpr off_t kPiece = 1 << 20;

void require(bool done, const char* what, const std::string& path) {
  if (!done)
    fail(std::string("cannot ") + what + " " + path + reason());
}

class Mover {
public:
  explicit Mover(const char* spared) : spared_(spared ? spared : "") {}

  void move_contents(const std::string& from, const std::string& to) {
    for (const auto& name : names_in(from))
      if (const auto path = from + "/" + name; path != spared_)
        move(path, to + "/" + name);
  }

private:
  // All at once: a folder whose files disappear while it is read may be read with gaps.
  static std::vector<std::string> names_in(const std::string& folder) {
    std::vector<std::string> names;
    DIR* stream = opendir(folder.empty() ? "/" : folder.c_str());
    require(stream != nullptr, "read", folder);
    while (const dirent* entry = readdir(stream))
      if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
        names.emplace_back(entry->d_name);
    closedir(stream);
    return names;
  }

  void move(const std::string& from, const std::string& to) {
    struct stat status;
    require(lstat(from.c_str(), &status) == 0, "look at", from);
    struct stat there;
    bool exists = lstat(to.c_str(), &there) == 0;
    if (exists && !(S_ISDIR(there.st_mode) && S_ISDIR(status.st_mode))) {
      require(S_ISDIR(there.st_mode) ? rmdir(to.c_str()) == 0 : unlink(to.c_str()) == 0, "replace", to);
      exists = false;
    }
    if (S_ISDIR(status.st_mode)) {
      require(exists || mkdir(to.c_str(), 0700) == 0, "make", to);
      move_contents(from, to);
      if (!exists)
        dress(to, status);
      // Not empty if it holds what is spared.
      rmdir(from.c_str());
      return;
    }
    const auto known = links_.find(status.st_ino);
    if (known != links_.end()) {
      require(link(known->second.c_str(), to.c_str()) == 0, "link", to);
    } else {
      if (S_ISREG(status.st_mode))
        copy_file(from, to, status.st_size);
      else if (S_ISLNK(status.st_mode))
        copy_link(from, to);
      else
        require(mknod(to.c_str(), status.st_mode, status.st_rdev) == 0, "make", to);
      dress(to, status);
      if (status.st_nlink > 1)
        links_[status.st_ino] = to;
    }
    require(unlink(from.c_str()) == 0, "remove", from);
  }

  // From its end, so that what has been copied can be cut off.
  static void copy_file(const std::string& from, const std::string& to, off_t size) {
    // What is running, which is init itself, can neither be written to nor cut.
    int in = open(from.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    const bool can_cut = in >= 0;
    if (in < 0 && errno == ETXTBSY)
      in = open(from.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    require(in >= 0, "open", from);
    const int out = open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    require(out >= 0, "make", to);
    for (off_t left = size; left > 0;) {
      const off_t start = (left - 1) / kPiece * kPiece;
      require(lseek(out, start, SEEK_SET) == start, "write", to);
      for (off_t at = start; at < left;)
        require(sendfile(out, in, &at, static_cast<std::size_t>(left - at)) > 0, "copy", from);
      left = start;
      require(!can_cut || ftruncate(in, left) == 0, "cut", from);
    }
    close(in);
    close(out);
  }

  static void copy_link(const std::string& from, const std::string& to) {
    std::string target(PATH_MAX, '\0');
    const ssize_t size = readlink(from.c_str(), target.data(), target.size());
    require(size >= 0, "read", from);
    target.resize(static_cast<std::size_t>(size));
    require(symlink(target.c_str(), to.c_str()) == 0, "make", to);
  }

  // Owner first: a change of it takes set-user-ID away.
  static void dress(const std::string& path, const struct stat& status) {
    require(lchown(path.c_str(), status.st_uid, status.st_gid) == 0, "give away", path);
    if (!S_ISLNK(status.st_mode))
      require(chmod(path.c_str(), status.st_mode & 07777) == 0, "set the mode of", path);
    const timespec times[] = {status.st_atim, status.st_mtim};
    require(utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW) == 0, "set the times of", path);
  }

  std::string spared_;
  std::map<ino_t, std::string> links_; // where the first name of a file with several has gone
};

} // namespace

void move_tree(const std::string& from, const std::string& to, const char* spared) {
  Mover(spared).move_contents(from, to);
}

} // namespace ukl::init
