// SPDX-License-Identifier: GPL-2.0-only
// IFUNC: a function whose implementation its resolver chooses when the program is loaded; and glibc's own
// (memcpy, strlen …), checked against plain loops at all small sizes and alignments.
#include "check.hpp"

#include <vector>

extern "C" {
static int resolved = 0;
static int chosen(int number) {
  return number + 1000;
}
static int other(int number) {
  return -number;
}
static int (*resolve())(int) {
  resolved = 1;
  __builtin_cpu_init();
  return __builtin_cpu_supports("sse2") ? chosen : other;
}
int picked(int number) __attribute__((ifunc("resolve")));
}

int main() {
  REQUIRE_EQ(resolved, 1);
  REQUIRE_EQ(picked(5), 1005);
  int (*volatile pointer)(int) = picked;
  REQUIRE_EQ(pointer(7), 1007);

  std::vector<unsigned char> source(8192), target(8192);
  for (std::size_t i = 0; i < source.size(); ++i)
    source[i] = static_cast<unsigned char>(i * 7 % 251 + 1);
  for (std::size_t size = 0; size < 600; size += size < 140 ? 1 : 37)
    for (std::size_t offset = 0; offset < 65; offset += 13) {
      memset(target.data(), 0, target.size());
      memcpy(target.data() + offset, source.data() + 3, size);
      for (std::size_t i = 0; i < size; ++i)
        REQUIRE_EQ(target[offset + i], source[3 + i]);
      REQUIRE_EQ(target[offset + size], 0);
      REQUIRE_EQ(strlen(reinterpret_cast<char*>(target.data() + offset)), size);
      REQUIRE_EQ(memcmp(target.data() + offset, source.data() + 3, size), 0);
      memmove(target.data() + offset + 1, target.data() + offset, size);
      for (std::size_t i = 0; i < size; ++i)
        REQUIRE_EQ(target[offset + 1 + i], source[3 + i]);
    }
}
