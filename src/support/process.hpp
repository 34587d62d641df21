// SPDX-License-Identifier: GPL-2.0-only
// Child processes that never outlive their owner.
#pragma once

#include "support/result.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace ukl {

/// How to start a child process.
struct ProcessOptions {
  std::string directory;                ///< working directory; empty: ours
  std::vector<std::string> environment; ///< `NAME=value`, added to ours
  int standard_input = -1;      ///< file descriptor the child gets as 0 (still ours to close); -1: /dev/null
  int standard_output = -1;     ///< likewise 1; -1: ours
  int standard_error = -1;      ///< likewise 2; -1: ours
  bool own_group = true;        ///< its own process group: Ctrl-C reaches us, and we decide
  std::vector<int> keep;        ///< further descriptors that the child inherits under the same number
  std::function<int()> prepare; ///< run in the child last of all; only async-signal-safe calls; 0 or errno
};

/// A running child process. The destructor kills its whole group and reaps it; the child also gets SIGKILL if
/// we die first (PR_SET_PDEATHSIG, prctl(2)).
class Process {
public:
  /// Starts `argv` (argv[0] is looked up in PATH). Error: missing_tool if there is no such program.
  static Result<Process> start(const std::vector<std::string>& argv, const ProcessOptions& options = {});

  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();

  pid_t pid() const { return pid_; }
  /// Sends `signal` to the child alone. No effect once it has ended.
  void signal(int signal);
  /// Whether it was stopped and goes on (SIGCONT), since the last call.
  bool take_continued();
  /// The exit status (128 + signal if a signal ended it), or nothing if it still runs after `timeout`.
  std::optional<int> wait_for(std::chrono::milliseconds timeout);
  /// Blocks until the child has ended; same status as wait_for.
  int wait();

private:
  explicit Process(pid_t pid) : pid_(pid) {}
  pid_t pid_ = -1;
  std::optional<int> status_;
};

/// What a finished command printed and how it ended.
struct Output {
  int status = 0;
  std::string text; ///< standard output and standard error, as they came
};

/// Runs a command to its end and collects its output. `on_line`, if given, sees each line as it comes.
Result<Output> run_command(const std::vector<std::string>& argv, const ProcessOptions& options = {},
                           const std::function<void(const std::string&)>& on_line = {});

} // namespace ukl
