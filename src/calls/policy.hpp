// SPDX-License-Identifier: GPL-2.0-only
// What the user says of an image's system calls: which are answered, and how single ones are entered.
#pragma once

#include "calls/kind.hpp"

#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace ukl {

struct CallPolicy {
  enum class Answer {
    by_programs, ///< what the image's programs can make
    all,         ///< every call that Linux has
    listed,      ///< what is in `answered`, and what no program can do without
  };
  Answer answer = Answer::by_programs;
  std::set<std::uint32_t> answered;         ///< these too, whatever the programs look like
  std::map<std::uint32_t, CallKind> kinds;  ///< how single ones are entered, or masked
  std::vector<std::filesystem::path> lists; ///< files that it was read from
};

/// `--calls`: auto, all, none, or @FILE: a file with names or numbers of calls (`#` begins a comment), as
/// `ukl run
/// --trace-calls` writes it. Errors: usage (no such call), those of reading FILE.
Result<void> set_calls(CallPolicy& policy, const std::string& text);

/// `--call CALL=KIND`: CALL is a name, a number, `all` for each of them, or @FILE; KIND as kind_name has it.
/// The last of several for one call holds. Each but masked and shortcut also answers the call; a shortcut is
/// no reason to answer one, and leaves those alone that have none. Errors as above.
Result<void> set_call(CallPolicy& policy, const std::string& text);

/// Calls as set_call has them before the `=`. Errors as above; `lists` gets the files that were read.
Result<std::set<std::uint32_t>> parse_calls(const std::string& text,
                                            std::vector<std::filesystem::path>& lists);

/// Names of calls, sorted; what Linux has no name for keeps its number.
std::vector<std::string> call_names(const std::set<std::uint32_t>& calls);

/// Adds names of calls to such a file, sorted; what it had stays. Errors: those of reading and writing it.
Result<void> add_to_call_list(const std::filesystem::path& file, const std::vector<std::uint32_t>& numbers);

} // namespace ukl
