// SPDX-License-Identifier: GPL-2.0-only
// The rewriter: turns the `syscall` instructions of an x86-64 ELF file into jumps through the gate page
// (ukl/gate.h). The `syscall` itself stays where it is; what stands directly before it is moved into a stub
// in a new segment behind the file's last address, and a jump to that stub takes its place (join_segments.hpp
// makes up for the mapping that this adds):
//
//     mov $1,%eax          jmp stub            stub: lea back(%rip),%rcx
//     syscall        -->   syscall                   jmp *(gate + 8*1)
//     …                    back: …
//
// So the return address is the program's own, unwinders and debuggers see what they always saw, and a
// restarted call finds its `syscall` instruction two bytes before the return address.
#pragma once

#include "support/files.hpp"
#include "ukl/gate.h"

#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace ukl {

/// What became of a site. The numbers are stored in rewritten files and never change.
enum class Treatment : std::uint8_t {
  left = 0,           ///< untouched: the instruction still works
  jump_by_number = 1, ///< jumps to the entry of its one number
  jump_indexed = 2,   ///< jumps to the entry that takes the number from RAX
};

/// Why a site was left alone. The numbers are stored in rewritten files and never change.
enum class Reason : std::uint8_t {
  none = 0,               ///< it was not left alone
  signal_return = 1,      ///< unwinders and debuggers recognise rt_sigreturn's trampoline by its bytes
  cancellation_range = 2, ///< a C library compares the program counter with the bounds of this code
  no_room = 3,            ///< fewer than five bytes before it can be moved
  jump_target = 4,        ///< somebody jumps between the instructions that would have to move
  indirect_jump = 5,      ///< the function has a computed jump whose targets are not all known
  overlapping_code = 6,   ///< a jump into the middle of an instruction: the function has two readings
  undecodable = 7,        ///< the code around it does not decode from one end to the other: data, perhaps
  text_relocation = 8,    ///< the dynamic loader will write into this code
  too_far = 9,            ///< further than 2 GiB from the stubs
  prefixed = 10,          ///< a `syscall` instruction with prefixes
  appended_data = 11,     ///< data of the program's own follows in the file: own_file.hpp
  packed = 12,            ///< a packed program, which unpacks itself out of its file: own_file.hpp
};

/// One `syscall` instruction.
struct Site {
  std::uint64_t address = 0;          ///< virtual address as in the file's headers
  std::string function;               ///< symbol that it lies in; empty if none is known
  std::vector<std::uint32_t> numbers; ///< every number it can be reached with, sorted; empty: not known
  Treatment treatment = Treatment::left;
  Reason reason = Reason::none;
};

/// What the rewriter found in a file and what it did.
struct RewriteReport {
  std::string file;
  bool already_rewritten = false; ///< it was rewritten before: nothing changed now
  Reason kept = Reason::none;     ///< why the whole file stays as it is; none: it need not
  std::vector<Site> sites;        ///< in order of address
  std::set<std::uint32_t> known;  ///< all numbers that the file's sites can be reached with, as far as known
  bool unknown_numbers = false;   ///< at least one site's numbers are not known
  std::uint64_t text_bytes = 0;   ///< size of the executable sections, bytes
  std::uint64_t added_bytes = 0;  ///< by which the file grew, bytes
};

struct RewriteOptions {
  std::string name; ///< the file, for messages and the report
  std::uint64_t gate =
      UKL_GATE; ///< address of the gate page, a sign-extended 32-bit number; tests use another
};

/// True if `elf` begins as a file that rewrite_elf takes: a 64-bit x86 executable or shared object.
bool is_rewritable(std::span<const std::uint8_t> elf);

/// Rewrites a whole ELF file in memory. A file without sites, rewritten before, or with data of its own
/// behind what its headers describe stays as it is. Errors, all of which leave `elf` as it was: not_elf (no
/// executable or shared object, or a damaged one), wrong_architecture, rewrite (no room for the new segment).
Result<RewriteReport> rewrite_elf(Bytes& elf, const RewriteOptions& options);

/// The same report for a file that stays as it is: what rewrite_elf did to it, or would do. Errors likewise.
Result<RewriteReport> inspect_elf(std::span<const std::uint8_t> elf, const RewriteOptions& options);

} // namespace ukl
