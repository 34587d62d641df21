// SPDX-License-Identifier: GPL-2.0-only
#include "missing_files.hpp"

#include <algorithm>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <set>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ukl::init {
namespace {

constexpr int kNone = -1, kAlways = -2;
constexpr std::size_t kMostPaths = 20000;

// A call that looks for a file: which of its arguments is the path, the folder that it is relative to, and
// the flags with O_CREAT. kAlways: it makes something, and only a folder on the way can be missing.
struct PathCall {
  long number;
  int path, folder, flags;
};
constexpr PathCall kPathCalls[] = {
    {SYS_open, 0, kNone, 1},        {SYS_openat, 1, 0, 2},           {SYS_openat2, 1, 0, kNone},
    {SYS_stat, 0, kNone, kNone},    {SYS_lstat, 0, kNone, kNone},    {SYS_newfstatat, 1, 0, kNone},
    {SYS_statx, 1, 0, kNone},       {SYS_access, 0, kNone, kNone},   {SYS_faccessat, 1, 0, kNone},
    {SYS_faccessat2, 1, 0, kNone},  {SYS_readlink, 0, kNone, kNone}, {SYS_readlinkat, 1, 0, kNone},
    {SYS_execve, 0, kNone, kNone},  {SYS_execveat, 1, 0, kNone},     {SYS_chdir, 0, kNone, kNone},
    {SYS_mkdir, 0, kNone, kAlways}, {SYS_mkdirat, 1, 0, kAlways},    {SYS_creat, 0, kNone, kAlways},
};

struct Call {
  std::string path;
  bool makes = false;
};

std::string read_text(pid_t process, std::uint64_t address) {
  const int memory = open(("/proc/" + std::to_string(process) + "/mem").c_str(), O_RDONLY | O_CLOEXEC);
  if (memory < 0)
    return {};
  std::string text;
  char part[256];
  bool whole = false;
  while (!whole && text.size() < PATH_MAX) {
    // Up to the end of a page: what follows need not be there.
    const std::size_t room = std::min(sizeof part, 4096 - static_cast<std::size_t>(address % 4096));
    const ssize_t got = pread(memory, part, room, static_cast<off_t>(address));
    if (got <= 0)
      break;
    const auto* end = static_cast<const char*>(memchr(part, 0, static_cast<std::size_t>(got)));
    text.append(part, end ? static_cast<std::size_t>(end - part) : static_cast<std::size_t>(got));
    whole = end != nullptr;
    address += static_cast<std::uint64_t>(got);
  }
  close(memory);
  return whole ? text : "";
}

std::string link_of(pid_t process, const std::string& name) {
  char target[PATH_MAX];
  const auto link = "/proc/" + std::to_string(process) + "/" + name;
  const ssize_t length = readlink(link.c_str(), target, sizeof target);
  return length > 0 && target[0] == '/' ? std::string(target, static_cast<std::size_t>(length)) : "";
}

// Absolute; empty: not known.
std::string whole_path(pid_t process, std::string path, int folder) {
  if (path.empty() || path[0] == '/')
    return path;
  const auto base = link_of(process, folder == AT_FDCWD ? "cwd" : "fd/" + std::to_string(folder));
  return base.empty() ? "" : base + "/" + path;
}

Call look_at(pid_t process, const __ptrace_syscall_info& info) {
  for (const auto& call : kPathCalls) {
    if (static_cast<std::uint64_t>(call.number) != info.entry.nr)
      continue;
    const auto folder = call.folder == kNone ? AT_FDCWD : static_cast<int>(info.entry.args[call.folder]);
    const bool makes =
        call.flags == kAlways || (call.flags != kNone && (info.entry.args[call.flags] & O_CREAT) != 0);
    return {whole_path(process, read_text(process, info.entry.args[call.path]), folder), makes};
  }
  return {};
}

class Follower {
public:
  explicit Follower(int paths) : paths_(paths) {}

  void on_call(pid_t process) {
    __ptrace_syscall_info info;
    if (ptrace(PTRACE_GET_SYSCALL_INFO, process, sizeof info, &info) <= 0)
      return;
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
      calls_[process] = look_at(process, info);
    } else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
      const auto call = calls_[process];
      if (info.exit.is_error && info.exit.rval == -ENOENT && !call.path.empty())
        tell(call);
    }
  }

  void forget(pid_t process) { calls_.erase(process); }

private:
  void tell(const Call& call) {
    auto path = call.path;
    if (call.makes)
      path.resize(std::max<std::size_t>(path.rfind('/'), 1));
    if (told_.size() < kMostPaths && told_.insert(path).second)
      write_path(paths_, call.makes ? 'd' : 'f', path);
  }

  int paths_;
  std::map<pid_t, Call> calls_; // that were entered, by thread
  std::set<std::string> told_;
};

bool stops(int signal) {
  return signal == SIGSTOP || signal == SIGTSTP || signal == SIGTTIN || signal == SIGTTOU;
}

} // namespace

void follow_calls(pid_t program) {
  ptrace(PTRACE_SEIZE, program, 0,
         PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
             PTRACE_O_TRACEEXEC);
  ptrace(PTRACE_INTERRUPT, program, 0, 0);
}

void report_missing_files(pid_t program, int paths, void (*on_change)(int wait_status)) {
  Follower follower(paths);
  while (true) {
    int status = 0;
    const pid_t process = waitpid(-1, &status, __WALL);
    if (process < 0) {
      if (errno == ECHILD)
        pause();
      continue;
    }
    if (!WIFSTOPPED(status)) {
      follower.forget(process);
      if (process == program)
        on_change(status);
      continue;
    }
    const int signal = WSTOPSIG(status), event = status >> 16;
    if (signal == (SIGTRAP | 0x80)) {
      follower.on_call(process);
      ptrace(PTRACE_SYSCALL, process, 0, 0);
    } else if (event == PTRACE_EVENT_STOP && stops(signal)) {
      if (process == program)
        on_change(status & 0xffff);
      ptrace(PTRACE_LISTEN, process, 0, 0);
    } else {
      ptrace(PTRACE_SYSCALL, process, 0, event == 0 ? signal : 0);
    }
  }
}

bool write_path(int paths, char kind, const std::string& path) {
  if (path.find('\n') != std::string::npos || path.size() >= PIPE_BUF - 3)
    return false;
  const std::string line = std::string(1, kind) + path + "\n";
  return write(paths, line.data(), line.size()) == static_cast<ssize_t>(line.size());
}

} // namespace ukl::init
