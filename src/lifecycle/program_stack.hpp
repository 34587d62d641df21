// SPDX-License-Identifier: GPL-2.0-only
// The calls on a program's stack, by the tables that compilers leave for exceptions (.eh_frame), and the
// names of functions. libdw (elfutils) reads them.
#pragma once

#include "lifecycle/debug_view.hpp"
#include "lifecycle/kernel_stack.hpp"

#include <memory>

namespace ukl {

class ProgramStacks {
public:
  /// Of a program that has these files loaded. Files that are none of ELF are left out.
  explicit ProgramStacks(const std::vector<LoadedFile>& files);
  ~ProgramStacks();
  ProgramStacks(ProgramStacks&&) noexcept;
  ProgramStacks& operator=(ProgramStacks&&) = delete;

  /// Addresses, the innermost first; return addresses less one.
  std::vector<std::uint64_t> unwind(const Registers& at, const ReadWord& read_word) const;

private:
  struct Reader;
  std::unique_ptr<Reader> reader_;
};

/// Names of functions by address: those of a file's symbol tables, C++ ones as their source has them.
class FunctionNames {
public:
  /// Takes those of a file; without symbols, its own name stands for all of its code.
  void add(const LoadedFile& file);
  /// `name`, `[FILE]` where the file has code without a name, or `[unknown]`.
  std::string at(std::uint64_t address) const;

private:
  struct Function {
    std::uint64_t start, end;
    std::string name;
  };
  struct Code {
    std::uint64_t start, end;
    std::string file;
    std::vector<Function> functions; // by start
  };
  std::vector<Code> codes_;
};

} // namespace ukl
