// SPDX-License-Identifier: GPL-2.0-only
// The calls on a stack of Linux's, by the tables that it has for that itself
// (Documentation/x86/orc-unwinder.rst).
#pragma once

#include "lifecycle/gdb_stub.hpp"

#include <functional>
#include <optional>
#include <vector>

namespace ukl {

/// Eight bytes of a machine's memory, or nothing where none is.
using ReadWord = std::function<std::optional<std::uint64_t>(std::uint64_t address)>;

struct KernelStack {
  std::vector<std::uint64_t> calls; ///< addresses, the innermost first; return addresses less one
  std::optional<Registers> program; ///< where the program was, if it is the program's call or was interrupted
};

class OrcTables {
public:
  /// Of a vmlinux. Nothing if it has none (the small kernels).
  static std::optional<OrcTables> read(const Bytes& vmlinux, const std::string& name);

  /// `slide`: what this run has added to the kernel's addresses.
  KernelStack unwind(Registers at, std::uint64_t slide, const ReadWord& read_word) const;

private:
  struct Entry {
    std::uint64_t ip; // the first that it is for
    std::int16_t sp_offset, bp_offset;
    unsigned sp_reg, bp_reg;
    enum class Type { end, call, regs, partial } type;
  };
  const Entry* find(std::uint64_t ip) const;
  std::vector<Entry> entries_; // by ip
};

/// Where there are no tables: the function that runs, and the program whose call or interruption it may be.
KernelStack innermost_call(const Registers& at, const ReadWord& read_word);

/// Whether an address is the kernel's.
inline bool is_kernel(std::uint64_t address) {
  return address >> 63 != 0;
}

} // namespace ukl
