// SPDX-License-Identifier: GPL-2.0-only
// Dumps core into the folder that its argument names: the kernel is told so through core_pattern. The crash
// lies three calls deep, in a second thread, with values for a debugger to find.
#include "check.hpp"

#include <fstream>
#include <sys/resource.h>
#include <thread>

struct Record {
  int number;
  const char* text;
};

extern "C" {
[[gnu::noinline]] void innermost(Record* record, volatile int* target) {
  record->number += 1;
  *target = record->number;
  asm volatile("" ::"r"(record) : "memory");
}
[[gnu::noinline]] void middle(Record* record) {
  innermost(record, reinterpret_cast<volatile int*>(0x123400));
  record->number = 0;
}
[[gnu::noinline]] void outermost(Record* record) {
  middle(record);
  record->number = 1;
}
}

int main(int argc, char** argv) {
  REQUIRE_EQ(argc, 2);
  std::ofstream("/proc/sys/kernel/core_pattern") << argv[1] << "/core" << std::flush;
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  REQUIRE_OK(setrlimit(RLIMIT_CORE, &unlimited));
  std::thread([] {
    Record record{4711, "a text in memory"};
    outermost(&record);
  }).join();
}
