// SPDX-License-Identifier: GPL-2.0-only
// A long command whose output goes to a log file, and which may end in its own time when the user stops it.
#pragma once

#include "support/process.hpp"

#include <filesystem>
#include <functional>

namespace ukl {

/// Runs `argv` to its end and returns its exit status. All it prints is appended to `log`, and `on_line` sees
/// each line of it. After Ctrl-C it gets SIGTERM and up to ten seconds (make uses them to remove half-made
/// targets); then the error is interrupted. Other errors: missing_tool, unwritable and disk_full (the log).
Result<int> run_logged(const std::vector<std::string>& argv, const ProcessOptions& options,
                       const std::filesystem::path& log,
                       const std::function<void(const std::string&)>& on_line = {});

/// The last `count` lines of a log, each with two blanks before it; for error messages.
std::string last_lines(const std::filesystem::path& log, std::size_t count);

} // namespace ukl
