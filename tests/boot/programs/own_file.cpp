// SPDX-License-Identifier: GPL-2.0-only
// Finds what was appended to its own file in the three ways that programs use: from the file's end (archives,
// single-file programs), behind the section headers (AppImages and their like), and at the offset that is its
// argument. The payload: `payload`, then its length as 8 bytes, then a mark of 8 bytes.
#include "check.hpp"

#include <algorithm>
#include <cstring>
#include <elf.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace {

std::string read_at(int file, off_t offset, std::size_t size) {
  std::string bytes(size, '\0');
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(0, pread(file, bytes.data(), size, offset))));
  return bytes;
}

} // namespace

int main(int count, char** arguments) {
  const int file = open("/proc/self/exe", O_RDONLY);
  struct stat status = {};
  REQUIRE(file >= 0 && fstat(file, &status) == 0);
  REQUIRE(count == 2);

  const auto trailer = read_at(file, status.st_size - 16, 16);
  REQUIRE(trailer.substr(8) == "UKL-LAST");
  std::uint64_t length = 0;
  std::memcpy(&length, trailer.data(), sizeof length);
  const auto by_end = read_at(file, status.st_size - 16 - static_cast<off_t>(length), length);

  Elf64_Ehdr header = {};
  REQUIRE(pread(file, &header, sizeof header, 0) == sizeof header);
  const auto by_headers =
      read_at(file, static_cast<off_t>(header.e_shoff + header.e_shnum * header.e_shentsize), length);
  const auto by_offset = read_at(file, std::atoll(arguments[1]), length);
  std::printf("by the end: %s\nby the headers: %s\nby the offset: %s\n", by_end.c_str(), by_headers.c_str(),
              by_offset.c_str());
  return 0;
}
