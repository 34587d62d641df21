// SPDX-License-Identifier: GPL-2.0-only
// The program runs in the ring that its image's profile promises. Argument: 0 or 3. The selectors tell, and
// a privileged instruction that is made at run time: it works in ring 0, and is a SIGSEGV in ring 3.
#include "check.hpp"

#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <sys/mman.h>
#include <thread>
#include <vector>

namespace {

thread_local sigjmp_buf back;

int ring() {
  unsigned short code, stack;
  asm volatile("movw %%cs, %0\n\tmovw %%ss, %1" : "=r"(code), "=r"(stack));
  REQUIRE_EQ(code & 3, stack & 3);
  return code & 3;
}

template <typename Body> bool allowed(Body&& body) {
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    if (info->si_code != SI_KERNEL)
      _exit(5);
    siglongjmp(back, 1);
  };
  REQUIRE_OK(sigaction(SIGSEGV, &action, nullptr));
  if (sigsetjmp(back, 1) != 0)
    return false;
  body();
  return true;
}

// Code made now, which no rewriter has seen: what the processor itself thinks of the instruction.
std::uintptr_t read_cr0() {
  static const unsigned char code[] = {0x0f, 0x20, 0xc0, 0xc3}; // mov %cr0, %rax; ret
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(page != MAP_FAILED);
  memcpy(page, code, sizeof code);
  REQUIRE_OK(mprotect(page, 4096, PROT_READ | PROT_EXEC));
  return reinterpret_cast<std::uintptr_t (*)()>(page)();
}

void check_ring(int wanted) {
  REQUIRE_EQ(ring(), wanted);
  std::uintptr_t cr0 = 0;
  REQUIRE_EQ(allowed([&] { cr0 = read_cr0(); }), wanted == 0);
  if (wanted == 0)
    REQUIRE((cr0 & 0x80010001) == 0x80010001); // paging, write protection, protected mode
  // What the rewriter sees is refused in either ring, as on Linux.
  REQUIRE_EQ(allowed([&] { asm volatile("movq %%cr3, %0" : "=r"(cr0)); }), false);
  REQUIRE_EQ(allowed([] { asm volatile("cli\n\tsti"); }), false);
}

} // namespace

int main(int argc, char** argv) {
  REQUIRE_EQ(argc, 2);
  const int wanted = atoi(argv[1]);
  check_ring(wanted);
  // Everywhere: in threads, children, signal handlers and after system calls.
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] { check_ring(wanted); });
  for (auto& thread : threads)
    thread.join();
  REQUIRE_EXIT(check::in_child([&] { check_ring(wanted); }), 0);
  static int seen;
  seen = -1;
  signal(SIGUSR1, [](int) { seen = ring(); });
  raise(SIGUSR1);
  REQUIRE_EQ(seen, wanted);
  REQUIRE_EQ(ring(), wanted);
  printf("ring %d\n", wanted);
}
