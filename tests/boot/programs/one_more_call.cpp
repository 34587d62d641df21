// SPDX-License-Identifier: GPL-2.0-only
// Makes getpriority by a SYSCALL instruction that it writes into memory first, where nobody who reads the
// program's file sees it.
#include "check.hpp"

#include <sys/mman.h>

int main() {
  static constexpr unsigned char code[] = {0xb8, 140,  0,    0,
                                           0,    0x0f, 0x05, 0xc3}; // mov $140,%eax; syscall; ret
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(page != MAP_FAILED);
  memcpy(page, code, sizeof code);
  const long result = reinterpret_cast<long (*)(long, long)>(page)(0, 0);
  puts(result == -ENOSYS ? "one more call: ENOSYS"
       : result > 0      ? "one more call: 0"
                         : "one more call: failed");
}
