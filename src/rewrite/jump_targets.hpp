// SPDX-License-Identifier: GPL-2.0-only
// Where control can enter the middle of a function. Instructions between which nothing enters may be moved
// together. What cannot be known is counted as an entry: a superfluous one costs a site its stub, a missing
// one the program.
#pragma once

#include "rewrite/decode.hpp"
#include "rewrite/functions.hpp"

namespace ukl::rewrite {

/// Sorted addresses inside the given functions (sorted, disjoint) that code or data outside of the function
/// refers to: 32-bit displacements of jumps, calls and address loads at any byte of any code, and every
/// aligned word of the loaded file that could be a pointer, addends of relocations too.
std::vector<std::uint64_t> outside_references(const ElfView& elf, const std::vector<Function>& functions);

/// What enters one function.
struct Entries {
  std::vector<std::uint64_t> direct; ///< targets of the function's own jumps and branches, sorted
  std::vector<std::uint64_t> other;  ///< all further possible entries, sorted
  bool unresolved_jump = false;      ///< a computed jump without a table that we can find
  bool pointer_jumps = false;        ///< but every computed jump goes to a pointer as it was loaded, not to a
                                     ///< place out of a table: a call of another function at the end
  bool overlapping = false;          ///< a branch goes into the middle of an instruction
  bool unreadable_exceptions = false; ///< its exception table is damaged: landing pads are not known
};

/// `outside`: what outside_references gave.
Entries find_entries(const ElfView& elf, const FunctionMap& map, const Function& function,
                     const std::vector<Instruction>& code, const std::vector<std::uint64_t>& outside);

/// True if an operand of code or an aligned word of the loaded file may be that address.
bool is_referred_to(const ElfView& elf, std::uint64_t address);

/// True if code does nothing with the word at that address but load it whole, and no data holds the address.
bool is_only_loaded(const ElfView& elf, std::uint64_t address);

/// `mov $number,%eax` of five bytes or more directly before the instruction of that index: room for a jump,
/// and nothing can come between the two.
bool is_plain_site(const std::vector<Instruction>& code, std::size_t site);

/// True if a sorted list holds an address in (after, before), both ends excluded.
bool any_between(const std::vector<std::uint64_t>& sorted, std::uint64_t after, std::uint64_t before);

} // namespace ukl::rewrite
