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
  /// What the command reads from `plan.file`; null: there is no such file.
  std::string (*file)(const MachinePlan& plan);
  /// It has virtio ports, on which init tells of the program and is told of signals (Channels). Without them
  /// there is the console alone (run_plain.hpp).
  bool has_ports;
  const char* disks; ///< how Linux calls its disks, without their letter
};

/// QEMU (qemu.cpp), the one that does all that ukl can.
const Hypervisor& qemu();
/// Those that have a console and little else (plain_hypervisors.cpp).
const Hypervisor& firecracker();
const Hypervisor& cloud_hypervisor();
const Hypervisor& xen();
/// The one that keeps machines itself: it is told of them (libvirt.cpp), and not run by us.
const Hypervisor& libvirt();

/// All of them, QEMU first.
std::vector<const Hypervisor*> hypervisors();
/// One of them, or libvirt. Error: usage, with the names that there are.
Result<const Hypervisor*> find_hypervisor(const std::string& name);

/// plan_machine() and `command` in one. Errors: those of plan_machine.
Result<std::vector<std::string>> machine_command(const Hypervisor& hypervisor, const MachineOptions& options,
                                                 const Manifest& image, const Channels& channels);

} // namespace ukl
