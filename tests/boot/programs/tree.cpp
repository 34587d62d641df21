// SPDX-License-Identifier: GPL-2.0-only
// Looks at the root tree: `list PATH…` as `stat -c '%n %f %h %u:%g %s %Y'` does (folders without what differs
// between file systems), `read PATH…` files that hold "kept", `read-any PATH…`, `write PATH…`, `room MIB`.
#include "check.hpp"

#include <cstdio>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <vector>

namespace {

void list(const char* path) {
  struct stat status;
  REQUIRE_OK(lstat(path, &status));
  if (S_ISDIR(status.st_mode))
    std::printf("%s %x %ld\n", path, status.st_mode, static_cast<long>(status.st_mtime));
  else
    std::printf("%s %x %ld %u:%u %ld %ld\n", path, status.st_mode, static_cast<long>(status.st_nlink),
                status.st_uid, status.st_gid, static_cast<long>(status.st_size),
                static_cast<long>(status.st_mtime));
}

std::string text_of(const char* path) {
  char buffer[64];
  const int fd = open(path, O_RDONLY);
  REQUIRE_OK(fd);
  const auto got = read(fd, buffer, sizeof buffer);
  REQUIRE_OK(got);
  close(fd);
  return {buffer, static_cast<std::size_t>(got)};
}

void write_to(const char* path) {
  const int fd = open(path, O_WRONLY | O_CREAT, 0600);
  REQUIRE_OK(fd);
  REQUIRE(write(fd, "new", 3) == 3);
  close(fd);
}

// As a program sees it that asks first (statvfs, fallocate) and then writes.
void fill(std::size_t mebibytes) {
  struct statvfs root;
  REQUIRE_OK(statvfs("/", &root));
  REQUIRE(root.f_bavail * root.f_bsize >= mebibytes << 20);
  REQUIRE(root.f_favail > 10000);
  const int fd = open("/tmp/large", O_RDWR | O_CREAT | O_EXCL, 0600);
  REQUIRE_OK(fd);
  REQUIRE_OK(fallocate(fd, 0, 0, 1 << 20));
  const std::vector<char> piece(1 << 20, 'x');
  for (std::size_t i = 0; i < mebibytes; ++i)
    REQUIRE(write(fd, piece.data(), piece.size()) == static_cast<ssize_t>(piece.size()));
}

} // namespace

int main(int count, char** arguments) {
  const std::string_view what = count > 1 ? arguments[1] : "";
  for (int i = 2; i < count; ++i) {
    if (what == "list")
      list(arguments[i]);
    else if (what == "read")
      REQUIRE(text_of(arguments[i]) == "kept\n");
    else if (what == "read-any" && std::string_view(arguments[i]) != "/dev/stdin")
      REQUIRE(!text_of(arguments[i]).empty());
    else if (what == "write")
      write_to(arguments[i]);
    else if (what == "room")
      fill(std::stoul(arguments[i]));
  }
  if (what == "read")
    std::puts("all are kept");
  else if (what == "read-any")
    std::puts("all were read");
  else if (what == "write")
    std::puts("all were written");
  else if (what == "room")
    std::puts("room enough");
}
