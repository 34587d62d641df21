// SPDX-License-Identifier: GPL-2.0-only
// Which function an address lies in: from unwind tables, symbols and Go's own function table.
#pragma once

#include "rewrite/unwind_tables.hpp"

namespace ukl::rewrite {

/// A run of code that is read from its first byte to its last.
struct Function {
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  bool known = false; ///< false: the gap between known ones
  std::uint64_t size() const { return end - start; }
};

class FunctionMap {
public:
  explicit FunctionMap(const ElfView& elf);

  /// All that have a known end, by address; they are disjoint.
  const std::vector<Function>& functions() const { return functions_; }
  /// The function (or the gap) around an address in an executable region.
  Function find(std::uint64_t address) const;
  /// The symbol that covers or last precedes `address` within its function; empty if there is none.
  std::string_view name(std::uint64_t address) const;
  /// Starts of functions and other symbols strictly inside (start, end).
  std::vector<std::uint64_t> labels(std::uint64_t start, std::uint64_t end) const;
  /// The frame entries that start in [start, end).
  std::span<const FrameEntry> frames(std::uint64_t start, std::uint64_t end) const;
  /// True if unwinders do the same at both addresses: no frame entry covers either, or one covers both so.
  bool same_frame_row(std::uint64_t one, std::uint64_t other) const;
  /// True for programs of the Go compiler, whose calls keep no register.
  bool is_go() const { return go_; }

private:
  const FrameEntry* frame(std::uint64_t address) const;

  const ElfView& elf_;
  std::vector<FrameEntry> frames_;
  std::vector<Symbol> symbols_;
  std::vector<Function> functions_;   ///< those with a known end, sorted, disjoint
  std::vector<std::uint64_t> starts_; ///< of everything, sorted
  bool go_ = false;
};

} // namespace ukl::rewrite
