// SPDX-License-Identifier: GPL-2.0-only
// The benchmark of single operations: boots bench/guest/operations.c on each system.
#pragma once

#include "results.hpp"
#include "systems.hpp"

namespace ukl::bench {

struct OperationsPlan {
  std::vector<System> systems;
  std::vector<std::string> only; ///< names of operations; none: all
  unsigned rounds = 3;           ///< each counts instructions and measures time
  std::filesystem::path program; ///< the guest program, a static ELF file
  bool times = true;             ///< else only instructions are counted, in one memory layout for all
};

/// Per round, one boot per system counts instructions and one (with `times`) measures time, both under the
/// round's own memory layout. Without `times` programs are not moved (`norandmaps`): where the stack begins
/// in its page may cost a fork another fault, and would decide over a comparison of few rounds. Fills in the
/// systems and rows of `part`. A system that fails gets the reason into its cells. Errors: those of
/// make_machine, missing_tool, interrupted.
Result<void> measure_operations(const OperationsPlan& plan, Part& part);

/// A guest's console output as a map from operation to its cell: `result` lines give values, `failed` lines
/// reasons. Other lines are the kernel's. With `instructions` the figures are instructions, else nanoseconds.
std::map<std::string, Cell> parse_operations(const std::string& console, bool instructions);

/// The guest program for a machine, to be given `instructions` or `wall` and names of operations.
GuestProgram operations_program(const std::filesystem::path& program);

} // namespace ukl::bench
