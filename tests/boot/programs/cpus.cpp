// SPDX-License-Identifier: GPL-2.0-only
// Several CPUs: running on each, moving between them while busy, atomics and locks between them, and shared
// page tables: what one CPU unmaps, no other can touch.
#include "check.hpp"

#include <atomic>
#include <csetjmp>
#include <csignal>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <thread>
#include <vector>

namespace {

int cpu_count;

void run_on(int cpu) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu, &set);
  REQUIRE_OK(sched_setaffinity(0, sizeof set, &set));
}

void each_cpu() {
  for (int round = 0; round < 50; ++round)
    for (int cpu = 0; cpu < cpu_count; ++cpu) {
      run_on(cpu);
      unsigned now = 0, node = 0;
      REQUIRE_EQ(sched_getcpu(), cpu);
      REQUIRE_OK(syscall(SYS_getcpu, &now, &node, nullptr));
      REQUIRE_EQ(now, cpu);
    }
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(cpu_count + 200, &set);
  REQUIRE_ERRNO(sched_setaffinity(0, sizeof set, &set), EINVAL);
  REQUIRE_OK(sched_getaffinity(0, sizeof set, &set));
  REQUIRE_EQ(CPU_COUNT(&set), 1);
}

void moved_by_others() {
  // Threads compute while another thread pushes them from CPU to CPU.
  std::atomic<bool> stop{false};
  std::vector<std::thread> workers;
  std::vector<std::atomic<unsigned long>> rounds(4);
  for (std::size_t number = 0; number < 4; ++number)
    workers.emplace_back([&, number] {
      unsigned long value = number + 1, wanted = number + 1;
      while (!stop) {
        double real = 1.0;
        for (int i = 0; i < 500; ++i) {
          value = value * 6364136223846793005ul + 1442695040888963407ul;
          real = real * 1.000001 + static_cast<double>(i & 1);
        }
        for (int i = 0; i < 500; ++i)
          wanted = wanted * 6364136223846793005ul + 1442695040888963407ul;
        REQUIRE(value == wanted && real > 200.0 && real < 300.0);
        ++rounds[number];
        if (rounds[number] % 64 == 0)
          sched_yield();
      }
    });
  for (int move = 0; move < 400; ++move) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(move * 7 % cpu_count, &set);
    REQUIRE_EQ(
        pthread_setaffinity_np(workers[static_cast<std::size_t>(move % 4)].native_handle(), sizeof set, &set),
        0);
    if (move % 8 == 0)
      check::sleep_ms(1);
  }
  stop = true;
  for (auto& worker : workers)
    worker.join();
  for (auto& count : rounds)
    REQUIRE(count > 0);
}

void atomics_between() {
  std::atomic<long> counter{0};
  std::vector<std::thread> threads;
  for (int cpu = 0; cpu < cpu_count; ++cpu)
    threads.emplace_back([&, cpu] {
      run_on(cpu);
      for (int i = 0; i < 30000; ++i)
        ++counter;
    });
  for (auto& thread : threads)
    thread.join();
  REQUIRE_EQ(counter.load(), 30000L * cpu_count);
}

void membarriers_and_shootdowns() {
  if (syscall(SYS_membarrier, 16, 0, 0) == 0) // REGISTER_PRIVATE_EXPEDITED
    for (int i = 0; i < 20; ++i)
      REQUIRE_OK(syscall(SYS_membarrier, 8, 0, 0));
  // One thread takes a page away; the others, on other CPUs, must fault at once and never see stale contents.
  static char* volatile page;
  static std::atomic<int> generation;
  static std::atomic<bool> stop;
  static thread_local sigjmp_buf back;
  page = static_cast<char*>(mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  stop = false;
  struct sigaction action {};
  action.sa_handler = [](int) { siglongjmp(back, 1); };
  REQUIRE_OK(sigaction(SIGSEGV, &action, nullptr));
  std::vector<std::thread> readers;
  for (int cpu = 1; cpu < cpu_count; ++cpu)
    readers.emplace_back([cpu] {
      run_on(cpu);
      while (!stop) {
        const int before = generation;
        if (before % 2 != 0) { // the page is gone until the next generation
          bool read = false;
          if (sigsetjmp(back, 1) == 0) {
            (void)*static_cast<volatile char*>(page);
            read = true;
          }
          if (read && generation == before)
            check::fail(__FILE__, __LINE__, "an unmapped page was still readable");
        } else {
          if (sigsetjmp(back, 1) == 0)
            (void)*static_cast<volatile char*>(page);
        }
      }
    });
  for (int round = 0; round < 300; ++round) {
    REQUIRE_OK(mprotect(page, 4096, PROT_NONE));
    ++generation;
    if (round % 8 == 0)
      sched_yield();
    ++generation; // the readers stop relying on it before it comes back
    REQUIRE_OK(mprotect(page, 4096, PROT_READ | PROT_WRITE));
    *static_cast<volatile char*>(page) = static_cast<char>(round);
  }
  stop = true;
  for (auto& reader : readers)
    reader.join();
  signal(SIGSEGV, SIG_DFL);
}

void processes_spread() {
  std::vector<pid_t> children;
  for (int i = 0; i < 12; ++i) {
    const pid_t child = fork();
    if (child == 0) {
      for (int round = 0; round < 40; ++round) {
        run_on((i + round) % cpu_count);
        if (sched_getcpu() != (i + round) % cpu_count)
          _exit(1);
      }
      _exit(0);
    }
    children.push_back(child);
  }
  for (const pid_t child : children) {
    int status;
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    REQUIRE_EXIT(status, 0);
  }
}

} // namespace

int main(int argc, char** argv) {
  cpu_count = static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
  if (argc > 1)
    REQUIRE_EQ(cpu_count, atoi(argv[1]));
  each_cpu();
  const cpu_set_t all = [] {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int cpu = 0; cpu < cpu_count; ++cpu)
      CPU_SET(cpu, &set);
    return set;
  }();
  REQUIRE_OK(sched_setaffinity(0, sizeof all, &all));
  moved_by_others();
  atomics_between();
  membarriers_and_shootdowns();
  processes_spread();
}
