// SPDX-License-Identifier: GPL-2.0-only
// Runs rewritten programs on an ordinary Linux: a tracer maps a page that looks like the gate into every
// process of the program, before its first instruction and after each execve. An entry of that page counts
// the call, puts the number into RAX and jumps to the `syscall` instruction before the return address: just
// what the gate's restart rule promises will work. So each call tests that rule too.
#pragma once

#include "support/files.hpp"
#include "ukl/gate.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <functional>
#include <sched.h>
#include <set>
#include <string>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace ukl::test {

inline constexpr std::uint64_t kFakeGate = 0x10000000; ///< where user space lets us map it

/// How a traced program ended.
struct Run {
  int status = -1; ///< exit status, or 128 + signal
  std::string output;
  std::array<std::uint64_t, UKL_GATE_ENTRIES> calls{}; ///< through each entry, by all its processes
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const auto count : calls)
      sum += count;
    return sum;
  }
};

/// A rewritten file and the path that it stands in for while the program runs.
struct Replacement {
  std::filesystem::path rewritten, original;
};

class FakeGate {
public:
  explicit FakeGate(const std::filesystem::path& folder) : path_((folder / "gate").string()) {
    // Page 0: the pointers. Pages 1 to 4: the entries, 32 bytes each. Page 5: the counters.
    Bytes image(kPages * kPage);
    for (unsigned n = 0; n < UKL_GATE_ENTRIES; ++n) {
      const std::uint64_t entry = kFakeGate + kPage + n * 32;
      std::memcpy(&image[n * 8], &entry, 8);
      Bytes code{0xf0, 0xff, 0x04, 0x25}; // lock incq counter
      append(code, static_cast<std::uint32_t>(kFakeGate + kCounters + n * 8), 4);
      code.insert(code.begin() + 1, 0x48);
      if (n < UKL_GATE_CALLS) {
        code.push_back(0xb8); // mov $n,%eax
        append(code, n, 4);
      }
      for (const int byte : {0x45, 0x31, 0xdb,       // xor %r11d,%r11d
                             0x48, 0x8d, 0x49, 0xfe, // lea -2(%rcx),%rcx
                             0xff, 0xe1})            // jmp *%rcx
        code.push_back(static_cast<std::uint8_t>(byte));
      std::copy(code.begin(), code.end(), image.begin() + static_cast<std::ptrdiff_t>(kPage + n * 32));
    }
    const int file = open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0777);
    if (file < 0 || write(file, image.data(), image.size()) != static_cast<ssize_t>(image.size()))
      abort();
    counters_ = static_cast<std::uint64_t*>(
        mmap(nullptr, kPage, PROT_READ | PROT_WRITE, MAP_SHARED, file, static_cast<off_t>(kCounters)));
    close(file);
  }
  ~FakeGate() { munmap(counters_, kPage); }
  FakeGate(const FakeGate&) = delete;

  /// Runs a program to its end in a mount namespace of its own. `stepper`, if given, is asked at each
  /// instruction of the first process and gives a signal to deliver there, or 0. The signal's handler runs
  /// without steps.
  Run run(const std::vector<std::string>& argv, const std::vector<Replacement>& replacements,
          const std::function<int(pid_t, const user_regs_struct&)>& stepper = {}) {
    Run result;
    std::memset(counters_, 0, kPage);
    const auto output = path_ + ".output";
    const pid_t child = fork();
    if (child == 0)
      start(argv, replacements, output);
    trace(child, result, stepper);
    if (auto text = read_text(output))
      result.output = *text;
    std::copy_n(counters_, UKL_GATE_ENTRIES, result.calls.begin());
    return result;
  }

  /// Why run() cannot work here; empty if it can.
  static std::string obstacle() {
    const pid_t child = fork();
    if (child == 0)
      _exit(own_namespace() ? 0 : 1);
    int status = 0;
    waitpid(child, &status, 0);
    return status == 0 ? "" : "no mount namespace may be made here (needs root or user namespaces)";
  }

private:
  static constexpr std::uint64_t kPage = 4096, kPages = 6, kCounters = 5 * kPage;

  static void append(Bytes& bytes, std::uint64_t value, unsigned count) {
    for (unsigned i = 0; i < count; ++i)
      bytes.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
  }

  static bool own_namespace() {
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
      return false;
    return mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
  }

  [[noreturn]] static void start(const std::vector<std::string>& argv,
                                 const std::vector<Replacement>& replacements, const std::string& output) {
    const int file = open(output.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    dup2(open("/dev/null", O_RDONLY), 0);
    dup2(file, 1);
    dup2(file, 2);
    if (!own_namespace())
      _exit(125);
    for (const auto& [rewritten, original] : replacements)
      if (mount(rewritten.c_str(), original.c_str(), nullptr, MS_BIND, nullptr) != 0)
        _exit(125);
    std::vector<char*> words;
    for (const auto& word : argv)
      words.push_back(const_cast<char*>(word.c_str()));
    words.push_back(nullptr);
    ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
    raise(SIGSTOP);
    execv(words[0], words.data());
    _exit(126);
  }

  // Makes one system call in a stopped process whose next instruction can be overwritten for a moment.
  static long call(pid_t process, std::uint64_t code, long number, std::array<std::uint64_t, 6> arguments) {
    user_regs_struct registers;
    ptrace(PTRACE_GETREGS, process, nullptr, &registers);
    registers.rip = code;
    registers.rax = static_cast<std::uint64_t>(number);
    registers.orig_rax = ~0ull;
    registers.rdi = arguments[0];
    registers.rsi = arguments[1];
    registers.rdx = arguments[2];
    registers.r10 = arguments[3];
    registers.r8 = arguments[4];
    registers.r9 = arguments[5];
    ptrace(PTRACE_SETREGS, process, nullptr, &registers);
    int status;
    ptrace(PTRACE_SINGLESTEP, process, nullptr, nullptr);
    waitpid(process, &status, __WALL);
    ptrace(PTRACE_GETREGS, process, nullptr, &registers);
    return static_cast<long>(registers.rax);
  }

  // Maps the gate into a process that has just made execve.
  void map_into(pid_t process) const {
    int status;
    ptrace(PTRACE_SINGLESTEP, process, nullptr, nullptr); // out of execve
    waitpid(process, &status, __WALL);
    user_regs_struct before;
    ptrace(PTRACE_GETREGS, process, nullptr, &before);
    const auto code = before.rip;
    const long old_code = ptrace(PTRACE_PEEKTEXT, process, code, nullptr);
    ptrace(PTRACE_POKETEXT, process, code, (old_code & ~0xffffL) | 0x050f);
    const auto text = (before.rsp - 512) & ~7ULL;
    std::vector<long> words(path_.size() / 8 + 1);
    std::memcpy(words.data(), path_.data(), path_.size());
    for (std::size_t i = 0; i < words.size(); ++i)
      ptrace(PTRACE_POKEDATA, process, text + i * 8, words[i]);
    const auto file = call(process, code, SYS_open, {text, O_RDWR});
    const auto mapped = call(process, code, SYS_mmap,
                             {kFakeGate, kPages * kPage, PROT_READ | PROT_WRITE | PROT_EXEC,
                              MAP_SHARED | MAP_FIXED_NOREPLACE, static_cast<std::uint64_t>(file), 0});
    call(process, code, SYS_close, {static_cast<std::uint64_t>(file)});
    ptrace(PTRACE_POKETEXT, process, code, old_code);
    before.orig_rax = ~0ull;
    ptrace(PTRACE_SETREGS, process, nullptr, &before);
    if (mapped != static_cast<long>(kFakeGate))
      kill(process, SIGABRT);
  }

  void trace(pid_t first, Run& result,
             const std::function<int(pid_t, const user_regs_struct&)>& stepper) const {
    int status;
    waitpid(first, &status, __WALL);
    ptrace(PTRACE_SETOPTIONS, first, nullptr,
           PTRACE_O_TRACEEXEC | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
               PTRACE_O_EXITKILL);
    ptrace(PTRACE_CONT, first, nullptr, nullptr);
    std::set<pid_t> seen{first};
    bool stepping = false;
    std::uint64_t breakpoint = 0;
    long under_breakpoint = 0;
    while (true) {
      const pid_t process = waitpid(-1, &status, __WALL);
      if (process < 0)
        break;
      if (WIFEXITED(status) || WIFSIGNALED(status)) {
        if (process == first)
          result.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        continue;
      }
      int deliver = WSTOPSIG(status);
      const int event = status >> 16;
      if (event != 0)
        deliver = 0;
      if (event == PTRACE_EVENT_EXEC) {
        map_into(process);
        stepping = static_cast<bool>(stepper);
      } else if (deliver == SIGSTOP && seen.insert(process).second) {
        deliver = 0; // a new process or thread begins stopped
      } else if (deliver == SIGTRAP && stepping && process == first) {
        deliver = 0;
      }
      if (stepping && process == first) {
        user_regs_struct registers;
        ptrace(PTRACE_GETREGS, process, nullptr, &registers);
        if (breakpoint != 0) { // the handler has returned
          registers.rip = breakpoint;
          ptrace(PTRACE_SETREGS, process, nullptr, &registers);
          ptrace(PTRACE_POKETEXT, process, breakpoint, under_breakpoint);
          breakpoint = 0;
        }
        if (const int signal = stepper(process, registers)) {
          breakpoint = registers.rip;
          under_breakpoint = ptrace(PTRACE_PEEKTEXT, process, breakpoint, nullptr);
          ptrace(PTRACE_POKETEXT, process, breakpoint, (under_breakpoint & ~0xffL) | 0xcc);
          ptrace(PTRACE_CONT, process, nullptr, signal);
          continue;
        }
      }
      ptrace(stepping && process == first ? PTRACE_SINGLESTEP : PTRACE_CONT, process, nullptr, deliver);
    }
  }

  std::string path_;
  std::uint64_t* counters_ = nullptr;
};

} // namespace ukl::test
