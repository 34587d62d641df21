// SPDX-License-Identifier: GPL-2.0-only
// Which files the program looks for and does not find: its parent follows every system call of it and of all
// that it starts (ptrace(2)), and tells init.
#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>

namespace ukl::init {

/// What the program's parent does in a run that looks for missing files. To be called before the program is
/// executed, which has to wait until this has returned.
void follow_calls(pid_t program);

/// Follows `program` and its descendants for ever. `on_change` is called with a status of waitpid(2), with
/// WUNTRACED, whenever the program has ended or stopped. Each path is written to `paths` once, as
/// write_path() does it.
[[noreturn]] void report_missing_files(pid_t program, int paths, void (*on_change)(int wait_status));

/// The message of one path: `f` (a file that was to be read) or `d` (a folder in which something was to be
/// made), the path, and a newline; a path with one in it is left out.
bool write_path(int paths, char kind, const std::string& path);

} // namespace ukl::init
