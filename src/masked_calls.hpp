// SPDX-License-Identifier: GPL-2.0-only
// Which system calls an image does not answer: those that no program in it can make, or all but the user's
// list.
#pragma once

#include "rewrite/file_calls.hpp"
#include "ukl/manifest.hpp"

#include <filesystem>

namespace ukl {

/// What the user says of it. Calls are names, numbers, or @FILE: a file with one of these a line (`#` begins
/// a comment), as `ukl run --trace-syscalls` writes it.
struct MaskOptions {
  bool all = false;                 ///< answer every call
  std::vector<std::string> allowed; ///< answer these too, whatever the programs look like
  std::vector<std::string> only;    ///< answer these and no others; empty: decide by the programs
};

struct MaskedCalls {
  Manifest records;                ///< key::syscall, NUMBER:masked
  std::size_t answered = 0;        ///< how many of Linux's calls are answered
  std::vector<std::string> doubts; ///< why nothing is masked although nobody asked for that; one line each
};

/// `programs`: every ELF file of the image but init, as it was before rewriting. Errors: usage (no such
/// call), those of reading a FILE.
Result<MaskedCalls> choose_masked_calls(const std::vector<FileCalls>& programs, const MaskOptions& options);

/// Adds names of calls to such a file, sorted; what it had stays. Errors: those of reading and writing it.
Result<void> add_to_call_list(const std::filesystem::path& file, const std::vector<std::uint32_t>& numbers);

} // namespace ukl
