// SPDX-License-Identifier: GPL-2.0-only
// What every program of the project does around its work.
#pragma once

#include "support/result.hpp"

#include <functional>

namespace ukl {

/// Runs a program's work from its main() and returns its exit status: that of the work, or that of its error,
/// which is printed. Before, closed standard streams are opened, and writing to a pipe without a reader or
/// beyond a file's limit becomes an error instead of a death that leaves temporary files. After, what was
/// printed is written, and a failure of that is an error too. Exceptions of libraries, also for lack of
/// memory, become errors.
int run_tool(const std::function<Result<int>()>& work);

/// Undoes what run_tool() changed of signals, for a program that replaces this one (exec). Safe between fork
/// and exec.
void restore_signals();

} // namespace ukl
