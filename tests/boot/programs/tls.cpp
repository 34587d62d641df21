// SPDX-License-Identifier: GPL-2.0-only
// Thread-local storage: the program's own (local-exec), with alignment and constructors, and that of a
// library which is loaded while threads already run. Argument: the library; without one only the program's
// own is checked.
#include "check.hpp"

#include <atomic>
#include <cstdint>
#include <dlfcn.h>
#include <thread>
#include <vector>

namespace {
thread_local int initialised = 42;
thread_local int zero;
alignas(256) thread_local char aligned[256] = "aligned";
thread_local char large[100000];
__thread long plain = 7;

std::atomic<int> made, gone;
struct Member {
  int value = ++made;
  ~Member() { ++gone; }
};
thread_local Member member;

void use_own(int number) {
  REQUIRE_EQ(initialised, 42);
  REQUIRE_EQ(zero, 0);
  REQUIRE_EQ(plain, 7);
  REQUIRE_EQ(reinterpret_cast<std::uintptr_t>(aligned) % 256, 0);
  REQUIRE(strcmp(aligned, "aligned") == 0);
  for (const char byte : large)
    REQUIRE_EQ(byte, 0);
  REQUIRE(member.value > 0);
  initialised = zero = number;
  plain = number * 2;
  memset(large, number, sizeof large);
  for (int round = 0; round < 50; ++round) {
    sched_yield();
    REQUIRE_EQ(initialised, number);
    REQUIRE_EQ(zero, number);
    REQUIRE_EQ(plain, number * 2);
    REQUIRE_EQ(large[99999], static_cast<char>(number));
    errno = number; // errno is thread-local too
    sched_yield();
    const int seen = errno;
    REQUIRE_EQ(seen, number);
  }
}

void library(const char* path) {
  std::atomic<bool> loaded{false};
  std::atomic<void*> handle{nullptr};
  std::vector<std::thread> threads;
  for (int number = 1; number <= 6; ++number)
    threads.emplace_back([&, number] {
      while (!loaded)
        sched_yield();
      const auto next = reinterpret_cast<long (*)()>(dlsym(handle, "library_next"));
      const auto zeroed = reinterpret_cast<char* (*)()>(dlsym(handle, "library_zeroed"));
      const auto constructed = reinterpret_cast<long (*)()>(dlsym(handle, "library_constructed"));
      REQUIRE(next && zeroed && constructed);
      for (long i = 1; i <= 100; ++i)
        REQUIRE_EQ(next(), 1000 + i);
      REQUIRE_EQ(zeroed()[4095], 0);
      memset(zeroed(), number, 4096);
      sched_yield();
      REQUIRE_EQ(zeroed()[17], number);
      REQUIRE_EQ(constructed(), 77);
      REQUIRE_EQ(constructed(), 78);
    });
  handle = dlopen(path, RTLD_NOW);
  if (!handle)
    check::fail(__FILE__, __LINE__, "dlopen: %s", dlerror());
  loaded = true;
  for (auto& thread : threads)
    thread.join();
  const auto destroyed = reinterpret_cast<long (*)()>(dlsym(handle, "library_destroyed"));
  REQUIRE(destroyed != nullptr);
  REQUIRE_EQ(destroyed(), 6);
  REQUIRE_EQ(dlclose(handle), 0);
}
} // namespace

int main(int argc, char** argv) {
  std::vector<std::thread> threads;
  for (int number = 1; number <= 8; ++number)
    threads.emplace_back(use_own, number);
  for (auto& thread : threads)
    thread.join();
  REQUIRE_EQ(made.load(), 8);
  REQUIRE_EQ(gone.load(), 8);
  use_own(99);
  REQUIRE_EXIT(check::in_child([] { REQUIRE_EQ(initialised, 99); }), 0);
  if (argc > 1)
    library(argv[1]);
}
