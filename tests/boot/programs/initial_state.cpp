// SPDX-License-Identifier: GPL-2.0-only
// What a program finds at its first instruction: the auxiliary vector, aligned stack, standard descriptors,
// signal dispositions, clean floating-point state, random canary, working devices.
#include "check.hpp"

#include <csignal>
#include <cstdint>
#include <elf.h>
#include <fcntl.h>
#include <link.h>
#include <sys/auxv.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <termios.h>

int main(int, char** argv) {
  REQUIRE_EQ(getauxval(AT_PAGESZ), 4096);
  REQUIRE_EQ(getauxval(AT_UID), getuid());
  REQUIRE_EQ(getauxval(AT_SECURE), 0);
  REQUIRE(getauxval(AT_SYSINFO_EHDR) != 0); // the vDSO
  REQUIRE(strcmp(reinterpret_cast<const char*>(getauxval(AT_PLATFORM)), "x86_64") == 0);
  REQUIRE(getauxval(AT_PHDR) != 0 && getauxval(AT_PHNUM) > 2);
  REQUIRE(reinterpret_cast<const char*>(getauxval(AT_EXECFN))[0] == '/' || argv[0][0] != '/');
  const auto* random = reinterpret_cast<const unsigned char*>(getauxval(AT_RANDOM));
  int zeros = 0;
  for (int i = 0; i < 16; ++i)
    zeros += random[i] == 0;
  REQUIRE(zeros < 8);

  for (int fd = 0; fd < 3; ++fd)
    REQUIRE_OK(fcntl(fd, F_GETFD));
  for (int signal = 1; signal < 32; ++signal) {
    struct sigaction action {};
    if (sigaction(signal, nullptr, &action) != 0)
      continue;
    REQUIRE(action.sa_handler == SIG_DFL || (signal == SIGPIPE && action.sa_handler == SIG_IGN));
  }
  unsigned mxcsr = 0;
  unsigned short control = 0;
  asm volatile("stmxcsr %0\n\tfnstcw %1" : "=m"(mxcsr), "=m"(control));
  REQUIRE_EQ(mxcsr & ~0x3fu, 0x1f80);
  REQUIRE_EQ(control, 0x37f);
  std::uint64_t flags = 0;
  asm volatile("pushfq\n\tpopq %0" : "=r"(flags));
  REQUIRE_EQ(flags & 0x4700, 0x200); // interrupts on; direction, trap and nested task off

  char zero[16];
  memset(zero, 1, sizeof zero);
  int fd = open("/dev/zero", O_RDONLY);
  REQUIRE_EQ(read(fd, zero, 16), 16);
  REQUIRE_EQ(zero[15], 0);
  close(fd);
  fd = open("/dev/null", O_RDWR);
  REQUIRE_EQ(write(fd, "x", 1), 1);
  REQUIRE_EQ(read(fd, zero, 1), 0);
  close(fd);
  unsigned char noise[32];
  REQUIRE_EQ(getrandom(noise, sizeof noise, 0), sizeof noise);
  fd = open("/dev/urandom", O_RDONLY);
  REQUIRE_EQ(read(fd, noise, sizeof noise), sizeof noise);
  close(fd);

  // A pseudo-terminal.
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE_OK(terminal);
  REQUIRE_OK(grantpt(terminal));
  REQUIRE_OK(unlockpt(terminal));
  const int other = open(ptsname(terminal), O_RDWR | O_NOCTTY);
  REQUIRE_OK(other);
  REQUIRE_EQ(write(terminal, "line\n", 5), 5);
  char line[16] = {};
  REQUIRE_EQ(read(other, line, sizeof line), 5);
  winsize size{30, 100, 0, 0};
  REQUIRE_OK(ioctl(terminal, TIOCSWINSZ, &size));
  size = {};
  REQUIRE_OK(ioctl(other, TIOCGWINSZ, &size));
  REQUIRE_EQ(size.ws_col, 100);
  close(other);
  close(terminal);

  struct stat info {};
  REQUIRE_OK(stat("/tmp", &info));
  REQUIRE_EQ(info.st_mode & 01777, 01777);
  fd = open("/dev/shm", O_RDONLY);
  REQUIRE_OK(fd);
  close(fd);
}
