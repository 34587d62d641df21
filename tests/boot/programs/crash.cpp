// SPDX-License-Identifier: GPL-2.0-only
// Dies of a signal in a function with a name. Argument: segv, fpe, ill, abrt, kill, thread.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>

extern "C" {
[[gnu::noinline]] void crash_by_null_pointer() {
  *reinterpret_cast<volatile int*>(0x40) = 1;
}
[[gnu::noinline]] int crash_by_division(int zero) {
  return 100 / zero;
}
[[gnu::noinline]] void crash_by_instruction() {
  asm volatile("ud2");
}
}

int main(int argc, char** argv) {
  const char* how = argc > 1 ? argv[1] : "segv";
  printf("about to crash: %s\n", how);
  fflush(stdout);
  volatile int zero = 0;
  if (strcmp(how, "segv") == 0)
    crash_by_null_pointer();
  if (strcmp(how, "fpe") == 0)
    return crash_by_division(zero);
  if (strcmp(how, "ill") == 0)
    crash_by_instruction();
  if (strcmp(how, "abrt") == 0)
    abort();
  if (strcmp(how, "kill") == 0)
    raise(SIGKILL);
  if (strcmp(how, "thread") == 0)
    std::thread([] { crash_by_null_pointer(); }).join();
  return 0;
}
