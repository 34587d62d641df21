// SPDX-License-Identifier: GPL-2.0-only
// The system calls of one ELF file by function, and which functions lead to which.
#pragma once

#include "elf/dynamic_links.hpp"
#include "rewrite/file_plan.hpp"

namespace ukl {

/// A function, or a stretch of code between known functions.
struct CallNode {
  std::uint64_t start = 0, end = 0;
  std::vector<std::uint32_t> numbers;  ///< of the calls it makes, or makes others make
  bool unknown = false;                ///< it makes calls whose numbers are not known
  std::vector<std::uint32_t> leads_to; ///< indices of other nodes
};

struct FileCalls {
  std::string name; ///< for messages
  rewrite::DynamicLinks links;
  bool program = false;             ///< it can be started
  std::vector<CallNode> nodes;      ///< sorted by start
  std::vector<std::uint32_t> roots; ///< nodes that run or may run once the file is loaded
  bool says_syscall = false;        ///< it holds the string by which syscall(2) could be looked up
  std::set<std::string> forwarders; ///< exported functions that make the call whose number they are given
  /// The node around an address of code, if there is one.
  std::optional<std::uint32_t> node_at(std::uint64_t address) const;
};

/// Reads a file as it was before rewriting, by the plan that was made for it.
FileCalls find_file_calls(const rewrite::ElfView& elf, const FilePlan& plan, const std::string& name);

/// The same for a file that nobody has a plan for. Errors: not_elf, wrong_architecture.
Result<FileCalls> find_file_calls(rewrite::ByteView elf, const std::string& name);

} // namespace ukl
