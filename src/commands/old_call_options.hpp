// SPDX-License-Identifier: GPL-2.0-only
// Options for system calls as they were called before --calls and --call. They are not in --help, say what is
// written instead of them, and go with the next version.
#pragma once

#include "calls/policy.hpp"

#include <CLI/CLI.hpp>

namespace ukl {

/// As they were written.
struct OldCallOptions {
  std::vector<std::string> kinds;   ///< --syscall NAME:KIND
  std::vector<std::string> allowed; ///< --allow-syscall NAME or @FILE
  std::vector<std::string> only;    ///< --only-syscall NAME or @FILE
  bool all = false;                 ///< --all-syscalls
  bool shortcuts = false;           ///< --shortcut-tcp
};

void add_old_call_options(CLI::App& command, OldCallOptions& options);

/// Does to the policy what they say, and says on standard error what to write instead. Errors: those of
/// set_call.
Result<void> read_old_call_options(const OldCallOptions& options, CallPolicy& policy);

/// Says so of one option: `old` is to be written as `now`.
void note_old_option(const std::string& old, const std::string& now);

} // namespace ukl
