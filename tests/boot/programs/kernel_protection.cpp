// SPDX-License-Identifier: GPL-2.0-only
// The kernel's text and constants cannot be written by the program, wherever it runs: each try is a SIGSEGV
// with the address, and the kernel goes on. In ring 0 the places are really there: the program reads them
// first to prove it. The gate page says where the text is, and /proc/kallsyms, which tells nothing in an
// image before root says otherwise, where it ends.
#include "../../../include/ukl/gate.h"
#include "check.hpp"

#include <csetjmp>
#include <csignal>
#include <cstdint>
#include <fstream>
#include <string>

namespace {

sigjmp_buf back;
volatile int code;
volatile std::uintptr_t address;

enum class Access { read, write };

/// True if the access works; otherwise it was a SIGSEGV, and `code` and `address` say what was reported.
bool access_works(std::uintptr_t where, Access access) {
  struct sigaction action {};
  action.sa_flags = SA_SIGINFO;
  action.sa_sigaction = [](int, siginfo_t* info, void*) {
    code = info->si_code;
    address = reinterpret_cast<std::uintptr_t>(info->si_addr);
    siglongjmp(back, 1);
  };
  REQUIRE_OK(sigaction(SIGSEGV, &action, nullptr));
  auto* byte = reinterpret_cast<volatile unsigned char*>(where);
  if (sigsetjmp(back, 1) != 0)
    return false;
  if (access == Access::write)
    *byte = 0xf4;
  else
    (void)*byte;
  return true;
}

void expect_write_stopped(const char* what, std::uintptr_t where) {
  code = 0;
  address = 0;
  if (access_works(where, Access::write))
    check::fail(__FILE__, __LINE__, "a write to %s at %#lx worked: it reads %#x now", what, where,
                *reinterpret_cast<volatile unsigned char*>(where));
  REQUIRE_EQ(address, where);
  REQUIRE_EQ(code, SEGV_MAPERR); // what any process is told about the kernel's half
}

/// Sets kernel.kptr_restrict, and gives what it was.
std::string restrict_pointers(const std::string& value) {
  std::fstream setting("/proc/sys/kernel/kptr_restrict");
  std::string before;
  setting >> before;
  setting.seekp(0);
  setting << value << std::endl;
  return before;
}

std::uintptr_t symbol(const std::string& wanted) {
  std::ifstream symbols("/proc/kallsyms");
  for (std::string line; std::getline(symbols, line);) {
    const auto space = line.find(' ');
    if (space == std::string::npos || line.size() < space + 4)
      continue;
    if (line.substr(space + 3, line.find('\t') - space - 3) == wanted)
      return std::stoul(line, nullptr, 16);
  }
  return 0;
}

/// The privilege level: the low two bits of the code segment's selector.
int ring() {
  unsigned short selector;
  asm volatile("movw %%cs, %0" : "=r"(selector));
  return selector & 3;
}

} // namespace

int main() {
  const auto before = restrict_pointers("1");
  std::uintptr_t text = symbol("_stext"), end = symbol("_etext");
  const std::uintptr_t write = symbol("ksys_write");
  restrict_pointers(before);
  printf("ring %d, kernel text %#lx to %#lx\n", ring(), text, end);
  // Constants begin at the next 2 MiB border behind the text (arch/x86/kernel/vmlinux.lds.S,
  // X86_ALIGN_RODATA_BEGIN). What lies between is free memory like any other, and may be written.
  constexpr std::uintptr_t kBorder = 2 << 20;
  if (ring() == 0) {
    const auto* gate = reinterpret_cast<const volatile std::uintptr_t*>(UKL_GATE);
    REQUIRE_EQ(text, gate[UKL_GATE_TEXT]);
    REQUIRE(access_works(text, Access::read));
    REQUIRE(access_works(write, Access::read));
  } else if (text == 0) { // hidden from this user: then it is not readable either
    text = 0xffffffff81000000;
    end = text + kBorder;
  }
  const std::uintptr_t constants = (end + kBorder - 1) & ~(kBorder - 1);
  if (ring() == 0) {
    // They are the kernel's: its banner stands there.
    const std::string banner = "Linux version ";
    bool found = false;
    for (auto at = constants; !found && at < constants + (1 << 20); at += 8)
      found = memcmp(reinterpret_cast<const void*>(at), banner.data(), banner.size()) == 0;
    REQUIRE(found);
  }
  printf("constants at %#lx, %#lx behind the text\n", constants, constants - text);
  for (int round = 0; round < 3; ++round) {
    expect_write_stopped("kernel text", text);
    expect_write_stopped("kernel text", text + 4096 * 3 + 5);
    expect_write_stopped("kernel text's end", end - 1);
    if (write)
      expect_write_stopped("ksys_write", write);
    expect_write_stopped("kernel constants", constants + 4096);
    expect_write_stopped("the gate page", 0xffffffffff600000);
    expect_write_stopped("an unmapped kernel address", 0xffffffffff000000 + 0xfff000 - 0x1000);
  }
  // Nor through a system call that writes for the program.
  int ends[2];
  REQUIRE_OK(pipe(ends));
  REQUIRE_EQ(::write(ends[1], "x", 1), 1);
  REQUIRE_ERRNO(read(ends[0], reinterpret_cast<void*>(text), 1), EFAULT);
  REQUIRE_ERRNO(read(ends[0], reinterpret_cast<void*>(constants), 1), EFAULT);
  // A process without a handler is killed, and the machine lives.
  REQUIRE_KILLED(check::in_child([&] {
                   signal(SIGSEGV, SIG_DFL);
                   *reinterpret_cast<volatile char*>(text) = 1;
                 }),
                 SIGSEGV);
}
