// SPDX-License-Identifier: GPL-2.0-only
// The system calls that the programs of an image can make: those of the functions that can be reached. What
// can be reached is over-estimated throughout; a call that is missing here is one that the program may not
// make.
#pragma once

#include "calls/file_calls.hpp"

namespace ukl {

struct ReachableCalls {
  std::set<std::uint32_t> numbers;
  /// Why some call that is not in `numbers` may be made after all, one line each; empty: none can be.
  std::vector<std::string> doubts;
  std::map<std::string, std::set<std::uint32_t>> by_file; ///< the same by the file whose code makes them
  bool looks_up_names = false; ///< names of functions may come from files that hold no code
};

/// What the kernel itself makes a program call, and the ways to end: part of every answer.
std::set<std::uint32_t> unavoidable_calls();

/// `files`: every ELF file of the image, each as it was before rewriting.
ReachableCalls find_reachable_calls(const std::vector<FileCalls>& files);

} // namespace ukl
