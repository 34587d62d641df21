// SPDX-License-Identifier: GPL-2.0-only
// Uses a volume: `write PATH TEXT`, `read PATH`, `all FOLDER` (many files, folders, links, locks, renames,
// big writes).
#include "check.hpp"

#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statfs.h>

namespace fs = std::filesystem;

namespace {
void everything(const fs::path& root) {
  fs::create_directories(root / "a/b/c");
  for (int i = 0; i < 100; ++i)
    std::ofstream(root / "a/b" / ("file" + std::to_string(i))) << i << " content";
  int count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(root / "a"))
    count += entry.is_regular_file();
  REQUIRE_EQ(count, 100);
  const fs::path big = root / "big";
  {
    std::ofstream file(big, std::ios::binary);
    std::string block(65536, 'b');
    for (int i = 0; i < 64; ++i) {
      block[0] = static_cast<char>(i);
      file << block;
    }
  }
  REQUIRE_EQ(fs::file_size(big), 64 * 65536);
  const int fd = open(big.c_str(), O_RDWR);
  REQUIRE_OK(fd);
  char byte = 0;
  REQUIRE_EQ(pread(fd, &byte, 1, 40 * 65536), 1);
  REQUIRE_EQ(byte, 40);
  REQUIRE_OK(ftruncate(fd, 1000));
  REQUIRE_OK(fsync(fd));
  REQUIRE_OK(flock(fd, LOCK_EX | LOCK_NB));
  close(fd);
  REQUIRE_EQ(fs::file_size(big), 1000);
  fs::rename(big, root / "a/renamed");
  fs::create_symlink("renamed", root / "a/link");
  REQUIRE_EQ(fs::file_size(root / "a/link"), 1000);
  REQUIRE_OK(chmod((root / "a/renamed").c_str(), 0640));
  struct stat info {};
  REQUIRE_OK(stat((root / "a/renamed").c_str(), &info));
  REQUIRE_EQ(info.st_mode & 0777, 0640);
  REQUIRE_ERRNO(open((root / "missing").c_str(), O_RDONLY), ENOENT);
  REQUIRE_ERRNO(mkdir((root / "a").c_str(), 0755), EEXIST);
  fs::remove_all(root / "a");
  REQUIRE(!fs::exists(root / "a"));
  struct statfs space {};
  REQUIRE_OK(statfs(root.c_str(), &space));
  REQUIRE(space.f_blocks > 0);
}
} // namespace

int main(int argc, char** argv) {
  REQUIRE(argc >= 3);
  const std::string what = argv[1];
  if (what == "write") {
    std::ofstream file(argv[2]);
    file << argv[3] << std::flush;
    REQUIRE(static_cast<bool>(file));
  } else if (what == "read") {
    std::ifstream file(argv[2]);
    REQUIRE(static_cast<bool>(file));
    std::cout << file.rdbuf() << std::endl;
  } else if (what == "all") {
    everything(argv[2]);
  } else {
    return 2;
  }
  std::cout << what << " done" << std::endl;
}
