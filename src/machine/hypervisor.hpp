// SPDX-License-Identifier: GPL-2.0-only
// What ukl has to know of a hypervisor: a table of functions, with one file for each of them.
#pragma once

#include "machine/plan.hpp"

namespace ukl {

struct Hypervisor {
  const char* name;
  const char* program; ///< looked up in PATH
  const char* package; ///< of Debian's, that has it
  /// The machine's type for an image whose user names none, by what the image's kernel lacks.
  std::string (*usual_machine)(const std::vector<std::string>& lacks);
  /// Refuses what it cannot do, before anything is started. Errors: usage, kernel_lacks.
  Result<void> (*check)(const MachineOptions& options);
  /// What Linux has to be told there, as words of its command line; empty if nothing.
  std::vector<std::string> (*parameters)(const MachineOptions& options);
  /// The command that runs the machine, `program` first. The console is its standard input and output.
  std::vector<std::string> (*command)(const MachinePlan& plan);
};

/// QEMU (qemu.cpp).
const Hypervisor& qemu();

/// plan_machine() and `command` in one. Errors: those of plan_machine.
Result<std::vector<std::string>> machine_command(const Hypervisor& hypervisor, const MachineOptions& options,
                                                 const Manifest& image, const Channels& channels);

} // namespace ukl
