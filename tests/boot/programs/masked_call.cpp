// SPDX-License-Identifier: GPL-2.0-only
// getpriority is masked in this image: as a jump, where the compiler sees the number, and as an instruction,
// where it comes from a register.
#include "check.hpp"

#include <sys/resource.h>
#include <sys/syscall.h>

int main(int argc, char**) {
  errno = 0;
  REQUIRE(getpriority(PRIO_PROCESS, 0) == -1 && errno == ENOSYS);
  errno = 0;
  REQUIRE(syscall(SYS_getpriority + argc - 1, PRIO_PROCESS, 0) == -1 && errno == ENOSYS);
  REQUIRE(getppid() > 0);
  puts("masked as asked for");
}
