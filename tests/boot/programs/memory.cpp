// SPDX-License-Identifier: GPL-2.0-only
// Memory: mmap in its kinds, mprotect, mremap, madvise, mincore, mlock, brk, shared memory between processes,
// and copy-on-write after fork, with system calls writing into copied pages too.
#include "check.hpp"

#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <fcntl.h>
#include <fstream>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/uio.h>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t kPage = 4096;

char* map(std::size_t pages, int protection = PROT_READ | PROT_WRITE, int flags = MAP_PRIVATE | MAP_ANONYMOUS,
          int file = -1) {
  void* address = mmap(nullptr, pages * kPage, protection, flags, file, 0);
  REQUIRE(address != MAP_FAILED);
  return static_cast<char*>(address);
}

sigjmp_buf back;

/// True if reading (or writing) one byte works; false on SIGSEGV or SIGBUS.
bool works(volatile char* address, bool write) {
  struct sigaction action {
  }, old_segv{}, old_bus{};
  action.sa_handler = [](int) { siglongjmp(back, 1); };
  sigaction(SIGSEGV, &action, &old_segv);
  sigaction(SIGBUS, &action, &old_bus);
  bool good = false;
  if (sigsetjmp(back, 1) == 0) {
    if (write)
      *address = 1;
    else
      (void)*address;
    good = true;
  }
  sigaction(SIGSEGV, &old_segv, nullptr);
  sigaction(SIGBUS, &old_bus, nullptr);
  return good;
}

long resident_pages() {
  std::ifstream file("/proc/self/statm");
  long size = 0, resident = 0;
  file >> size >> resident;
  return resident;
}

void demand_paging() {
  const long before = resident_pages();
  char* area = map(4096);
  REQUIRE(resident_pages() - before < 200);
  for (std::size_t page = 0; page < 4096; ++page) {
    REQUIRE_EQ(area[page * kPage + page % kPage], 0);
    area[page * kPage] = static_cast<char>(page);
  }
  REQUIRE(resident_pages() - before >= 4096);
  for (std::size_t page = 0; page < 4096; ++page)
    REQUIRE_EQ(area[page * kPage], static_cast<char>(page));
  REQUIRE_OK(madvise(area, 2048 * kPage, MADV_DONTNEED));
  REQUIRE(resident_pages() - before <= 2300);
  REQUIRE_EQ(area[1000 * kPage], 0);
  REQUIRE_EQ(area[3000 * kPage], static_cast<char>(3000));
  REQUIRE_OK(munmap(area, 4096 * kPage));
  REQUIRE(!works(area, false));
}

void protection() {
  char* area = map(3);
  REQUIRE_OK(mprotect(area + kPage, kPage, PROT_READ));
  REQUIRE(works(area, true) && works(area + 2 * kPage, true));
  REQUIRE(works(area + kPage, false) && !works(area + kPage, true));
  REQUIRE_OK(mprotect(area + kPage, kPage, PROT_NONE));
  REQUIRE(!works(area + kPage, false));
  REQUIRE_OK(mprotect(area, 3 * kPage, PROT_READ | PROT_WRITE));
  REQUIRE(works(area + kPage, true));
  REQUIRE_ERRNO(mprotect(area + 1, kPage, PROT_READ), EINVAL);
  munmap(area + kPage, kPage); // a hole in the middle
  REQUIRE(works(area, true) && !works(area + kPage, false) && works(area + 2 * kPage, true));
  REQUIRE_ERRNO(mprotect(area, 3 * kPage, PROT_READ), ENOMEM);
  munmap(area, 3 * kPage);

  // Code made at run time, changed, and run again.
  char* code = map(1, PROT_READ | PROT_WRITE);
  for (unsigned char number = 1; number < 50; ++number) {
    REQUIRE_OK(mprotect(code, kPage, PROT_READ | PROT_WRITE));
    const unsigned char bytes[] = {0xb8, number, 0, 0, 0, 0xc3}; // mov $number, %eax; ret
    memcpy(code, bytes, sizeof bytes);
    REQUIRE_OK(mprotect(code, kPage, PROT_READ | PROT_EXEC));
    REQUIRE_EQ(reinterpret_cast<int (*)()>(code)(), number);
  }
  munmap(code, kPage);
}

void remapping() {
  char* area = map(4);
  for (int page = 0; page < 4; ++page)
    memset(area + static_cast<std::size_t>(page) * kPage, 'a' + page, kPage);
  auto* bigger = static_cast<char*>(mremap(area, 4 * kPage, 5000 * kPage, MREMAP_MAYMOVE));
  REQUIRE(bigger != MAP_FAILED);
  for (int page = 0; page < 4; ++page)
    REQUIRE_EQ(bigger[static_cast<std::size_t>(page) * kPage + 77], 'a' + page);
  REQUIRE_EQ(bigger[4999 * kPage], 0);
  REQUIRE(mremap(bigger, 5000 * kPage, 2 * kPage, 0) == bigger);
  REQUIRE(!works(bigger + 2 * kPage, false));
  char* target = map(2);
  memset(target, 'z', 2 * kPage);
  REQUIRE(mremap(bigger, 2 * kPage, 2 * kPage, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
  REQUIRE_EQ(target[5], 'a');
  REQUIRE(!works(bigger, false));
  char* fixed = static_cast<char*>(
      mmap(target + kPage, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
  REQUIRE(fixed == target + kPage && fixed[0] == 0 && target[0] == 'a');
  REQUIRE(mmap(target, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
          MAP_FAILED);
  munmap(target, 2 * kPage);
}

void advice_and_residence() {
  char* area = map(8);
  unsigned char resident[8];
  area[2 * kPage] = 1;
  REQUIRE_OK(mincore(area, 8 * kPage, resident));
  for (int page = 0; page < 8; ++page)
    REQUIRE_EQ(resident[page] & 1, page == 2);
  REQUIRE_OK(madvise(area, 8 * kPage, MADV_POPULATE_WRITE));
  REQUIRE_OK(mincore(area, 8 * kPage, resident));
  for (const unsigned char page : resident)
    REQUIRE_EQ(page & 1, 1);
  REQUIRE_OK(mlock(area, 8 * kPage));
  REQUIRE_OK(munlock(area, 8 * kPage));
  memset(area, 's', 8 * kPage);
  REQUIRE_OK(madvise(area, kPage, MADV_WIPEONFORK));
  REQUIRE_OK(madvise(area + kPage, kPage, MADV_DONTFORK));
  REQUIRE_EXIT(check::in_child([&] {
                 REQUIRE_EQ(area[0], 0);
                 REQUIRE(!works(area + kPage, false));
                 REQUIRE_EQ(area[2 * kPage], 's');
               }),
               0);
  REQUIRE_EQ(area[0], 's');
  munmap(area, 8 * kPage);

  // Huge pages, if the kernel gives them: contents stay right when they are split.
  auto* huge =
      static_cast<char*>(mmap(nullptr, 8 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  (void)madvise(huge, 8 << 20, MADV_HUGEPAGE);
  for (std::size_t at = 0; at < 8 << 20; at += 4096)
    huge[at] = static_cast<char>(at >> 12);
  REQUIRE_OK(mprotect(huge + (3 << 20) + 4096, 4096, PROT_READ));
  REQUIRE(!works(huge + (3 << 20) + 4096, true));
  for (std::size_t at = 0; at < 8 << 20; at += 4096)
    REQUIRE_EQ(huge[at], static_cast<char>(at >> 12));
  munmap(huge, 8 << 20);
}

void files() {
  const int file = memfd_create("file", 0);
  REQUIRE_OK(ftruncate(file, 4 * kPage));
  char* shared = map(4, PROT_READ | PROT_WRITE, MAP_SHARED, file);
  char* private_copy = map(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, file);
  shared[100] = 'S';
  REQUIRE_EQ(private_copy[100], 'S');
  private_copy[100] = 'P';
  REQUIRE_EQ(shared[100], 'S');
  char byte = 0;
  REQUIRE_EQ(pread(file, &byte, 1, 100), 1);
  REQUIRE_EQ(byte, 'S');
  REQUIRE_EQ(pwrite(file, "W", 1, kPage + 5), 1);
  REQUIRE_EQ(shared[kPage + 5], 'W');
  REQUIRE_EQ(private_copy[kPage + 5], 'W');
  REQUIRE_EXIT(check::in_child([&] {
                 shared[200] = 'C';
                 private_copy[300] = 'D';
               }),
               0);
  REQUIRE_EQ(shared[200], 'C');
  REQUIRE_EQ(private_copy[300], 0);
  REQUIRE_OK(madvise(shared, 4 * kPage, MADV_WILLNEED));
  REQUIRE_OK(msync(shared, 4 * kPage, MS_SYNC));
  munmap(shared, 4 * kPage);
  munmap(private_copy, 4 * kPage);
  close(file);
  const int self = open("/proc/self/exe", O_RDONLY);
  char* image = map(1, PROT_READ, MAP_PRIVATE, self);
  REQUIRE_EQ(memcmp(image, "\177ELF", 4), 0);
  REQUIRE(!works(image, true));
  munmap(image, kPage);
  close(self);
}

void copy_on_write() {
  constexpr std::size_t pages = 256;
  char* area = map(pages);
  for (std::size_t page = 0; page < pages; ++page)
    area[page * kPage] = static_cast<char>(page);
  std::vector<pid_t> children;
  for (int number = 0; number < 6; ++number) {
    const pid_t child = fork();
    REQUIRE(child >= 0);
    if (child == 0) {
      // Some pages are written by the program, some by the kernel on its behalf.
      int ends[2];
      REQUIRE_OK(pipe(ends));
      for (std::size_t page = 0; page < pages; ++page) {
        const char value = static_cast<char>(number * 10 + static_cast<int>(page));
        if (page % 3 == 0) {
          REQUIRE_EQ(write(ends[1], &value, 1), 1);
          REQUIRE_EQ(read(ends[0], area + page * kPage, 1), 1);
        } else if (page % 3 == 1) {
          area[page * kPage] = value;
        }
      }
      for (std::size_t page = 0; page < pages; ++page)
        REQUIRE_EQ(area[page * kPage],
                   static_cast<char>((page % 3 == 2 ? 0 : number * 10) + static_cast<int>(page)));
      _exit(0);
    }
    children.push_back(child);
  }
  for (std::size_t page = 0; page < pages; page += 2)
    area[page * kPage + 1] = 'p';
  for (const pid_t child : children) {
    int status;
    REQUIRE_EQ(waitpid(child, &status, 0), child);
    REQUIRE_EXIT(status, 0);
  }
  for (std::size_t page = 0; page < pages; ++page) {
    REQUIRE_EQ(area[page * kPage], static_cast<char>(page));
    REQUIRE_EQ(area[page * kPage + 1], page % 2 == 0 ? 'p' : 0);
  }
  munmap(area, pages * kPage);
}

void system_v_and_vm() {
  const int id = shmget(IPC_PRIVATE, 4 * kPage, IPC_CREAT | 0600);
  REQUIRE_OK(id);
  auto* memory = static_cast<char*>(shmat(id, nullptr, 0));
  REQUIRE(memory != reinterpret_cast<char*>(-1));
  static char secret[] = "taken from another process";
  char copy[sizeof secret] = {};
  const pid_t child = fork();
  if (child == 0) {
    strcpy(memory, "from the child");
    pause();
    _exit(0);
  }
  while (memory[13] == 0)
    sched_yield();
  REQUIRE(strcmp(memory, "from the child") == 0);
  iovec local{copy, sizeof copy}, remote{secret, sizeof secret};
  REQUIRE_EQ(process_vm_readv(child, &local, 1, &remote, 1, 0), sizeof secret);
  REQUIRE(strcmp(copy, secret) == 0);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  REQUIRE_OK(shmdt(memory));
  REQUIRE_OK(shmctl(id, IPC_RMID, nullptr));
}

void heap_and_limits() {
  auto* start = static_cast<char*>(sbrk(0));
  REQUIRE(sbrk(1 << 20) == start);
  memset(start, 7, 1 << 20);
  REQUIRE(sbrk(-(1 << 20)) != reinterpret_cast<void*>(-1));
  REQUIRE(!works(reinterpret_cast<char*>((reinterpret_cast<std::uintptr_t>(start) + 8191) & ~4095ul), true));
  REQUIRE_EXIT(check::in_child([] {
                 const rlimit small{200 << 20, 200 << 20};
                 REQUIRE_OK(setrlimit(RLIMIT_AS, &small));
                 REQUIRE(mmap(nullptr, 1ul << 30, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
                         MAP_FAILED);
               }),
               0);
  // The kernel half cannot be mapped or unmapped by the program.
  for (const unsigned long address : {0xffffffff81000000ul, 0xffff888000000000ul, 0x800000000000ul}) {
    auto* high = reinterpret_cast<void*>(address);
    REQUIRE(mmap(high, kPage, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
    REQUIRE_ERRNO(munmap(high, kPage), EINVAL);
    REQUIRE_ERRNO(mprotect(high, kPage, PROT_READ | PROT_WRITE), ENOMEM);
  }
}

void threads_map_and_unmap() {
  std::vector<std::thread> threads;
  for (int number = 1; number <= 4; ++number)
    threads.emplace_back([number] {
      for (int round = 0; round < 150; ++round) {
        char* area = map(16);
        for (std::size_t page = 0; page < 16; ++page)
          area[page * kPage] = static_cast<char>(number);
        REQUIRE_OK(mprotect(area, 8 * kPage, PROT_READ));
        for (std::size_t page = 0; page < 16; ++page)
          REQUIRE_EQ(area[page * kPage], number);
        REQUIRE_OK(munmap(area, 16 * kPage));
      }
    });
  for (auto& thread : threads)
    thread.join();
}

} // namespace

int main() {
  demand_paging();
  protection();
  remapping();
  advice_and_residence();
  files();
  copy_on_write();
  system_v_and_vm();
  heap_and_limits();
  threads_map_and_unmap();
}
