// SPDX-License-Identifier: GPL-2.0-only
// The machine code of the stubs, and the jumps to them.
#pragma once

#include "rewrite/plan.hpp"
#include "rewrite/traps.hpp"

namespace ukl::rewrite {

/// The stubs of a file, one behind the other.
struct Stubs {
  /// An instruction of ours, for its unwind information.
  struct Row {
    std::uint64_t address;
    std::uint64_t resume; ///< the address to which its system call returns
  };
  Bytes code;
  std::vector<Row> rows;    ///< in the stubs, by address
  std::vector<Row> islands; ///< jumps to stubs that lie outside of all frame entries, by address
};

/// Makes the stubs for all sites that are not left alone, to lie at `address`. A site that is too far away
/// becomes one that is left alone.
Stubs make_stubs(const ElfView& elf, std::vector<PlannedSite>& sites, std::uint64_t address,
                 std::uint64_t gate, std::vector<std::uint64_t>& stub_of_site);

/// Appends the copies that the kernel wants of some traps to `stubs`, which lie at `address`, and says in
/// `traps` where they are. One that would be too far away is not made.
void add_copies(const ElfView& elf, std::vector<TrapSite>& traps, std::uint64_t address, Stubs& stubs);

} // namespace ukl::rewrite
