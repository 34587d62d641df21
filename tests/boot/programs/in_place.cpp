// SPDX-License-Identifier: GPL-2.0-only
// A large file of the image is a file like any other, though its pages were never copied.
//   in_place FILE SIZE: a file of SIZE bytes, all 'x', that may be changed
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <string>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>
#include <vector>

namespace {

int failures = 0;

void check(const char* what, bool good) {
  if (!good) {
    printf("wrong: %s\n", what);
    ++failures;
  }
}

// KiB, of /proc/meminfo.
long memory(const std::string& name) {
  std::ifstream file("/proc/meminfo");
  for (std::string word; file >> word;)
    if (word == name + ":") {
      long value = 0;
      file >> value;
      return value;
    }
  return -1;
}

long free_blocks() {
  struct statfs info = {};
  statfs("/", &info);
  return static_cast<long>(info.f_bfree);
}

} // namespace

int main(int, char** arguments) {
  const char* path = arguments[1];
  const long size = atol(arguments[2]);
  struct stat info = {};
  stat(path, &info);
  check("size", info.st_size == size);
  check("blocks", info.st_blocks == (size + 4095) / 4096 * 8);
  check("shared memory", memory("Shmem") * 1024 >= size);

  const int file = open(path, O_RDWR);
  check("open", file >= 0);
  auto* bytes = static_cast<char*>(
      mmap(nullptr, static_cast<std::size_t>(size), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0));
  long wrong = 0;
  for (long i = 0; i < size; ++i)
    wrong += bytes[i] != 'x';
  check("contents", wrong == 0);
  bytes[size / 2] = 'y';
  char one = 0;
  check("writes of a mapping are the file's", pread(file, &one, 1, size / 2) == 1 && one == 'y');
  check("append", pwrite(file, "end", 3, size) == 3 && fstat(file, &info) == 0 && info.st_size == size + 3);
  check("truncate", ftruncate(file, 5000) == 0 && ftruncate(file, 20000) == 0);
  std::vector<char> tail(20000);
  check("read", pread(file, tail.data(), tail.size(), 0) == 20000);
  for (int i = 0; i < 20000; ++i)
    check("zeros behind the new end", tail[static_cast<std::size_t>(i)] == (i < 5000 ? 'x' : 0));
  check("blocks after that", fstat(file, &info) == 0 && info.st_blocks <= 5 * 8);
  munmap(bytes, static_cast<std::size_t>(size));
  close(file);

  // Another one of the size: its pages become free ones when it goes.
  const auto other = std::string(path) + "2";
  const long before = memory("MemFree"), blocks = free_blocks();
  check("unlink", unlink(other.c_str()) == 0);
  const long freed = (memory("MemFree") - before) * 1024, room = (free_blocks() - blocks) * 4096;
  // Each processor keeps some for itself, which are not counted as free; and others free some as well.
  printf("free memory: %ld more, room: %ld more\n", freed, room);
  check("free memory", freed > size / 4 * 3 && freed < size / 4 * 5);
  check("free room", room > size - (1 << 20) && room < size + (1 << 20));
  std::vector<char> use(static_cast<std::size_t>(size), 'z');
  check("memory of it", use[use.size() / 2] == 'z');
  if (failures == 0)
    puts("a file like any other");
  return failures != 0;
}
