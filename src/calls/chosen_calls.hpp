// SPDX-License-Identifier: GPL-2.0-only
// Which system calls an image answers, and how each is entered: what its programs can make, below what the
// user says.
#pragma once

#include "calls/file_calls.hpp"
#include "calls/policy.hpp"

#include <functional>
#include <optional>
#include <span>

namespace ukl {

struct ChosenCalls {
  CallTable table = {};
  std::size_t answered = 0;        ///< how many of Linux's calls are answered
  std::vector<std::string> doubts; ///< why nothing is masked although nobody asked for that; one line each
  std::map<std::string, std::vector<std::string>> by_file; ///< names of the calls that each program's code
                                                           ///< can make; empty if the user named the calls
};

/// Finds a file of the image that is no ELF file and names the function syscall(2), as a script does that
/// calls it through ctypes: its path, or nothing. Asked for only where a program looks functions up by name.
using FindScript = std::function<std::optional<std::string>()>;

/// Whether a file is a page for browsers, whose scripts run there; one with <? in it may be PHP, and is none.
bool is_web_page(std::span<const std::uint8_t> contents);

/// True if a script, or what a scripting language made of it, names the function syscall: as a member
/// (`libc.syscall`), in quotes, or among a compiled Python file's names. Mere prose does not.
bool names_syscall(std::span<const std::uint8_t> contents);

/// `programs`: every ELF file of the image but init, as it was before rewriting; needed only where the policy
/// goes by them. Numbers that Linux does not know are left to it: it answers them as a masked call is
/// answered.
ChosenCalls choose_calls(const std::vector<FileCalls>& programs, const CallPolicy& policy,
                         const FindScript& find_script = {});

} // namespace ukl
