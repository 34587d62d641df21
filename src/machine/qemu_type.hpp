// SPDX-License-Identifier: GPL-2.0-only
// QEMU's machine types: which of them boot an image, and what each needs for that.
#pragma once

#include "machine/options.hpp"

namespace ukl {

/// The type's name without its properties: `pc` of `pc,hpet=off`.
std::string machine_name(const MachineOptions& options);

/// The type for an image whose user names none: that of the fewest devices for a kernel without PCI.
std::string usual_machine(const std::vector<std::string>& lacks);

/// Whether the machine has no ACPI: where the kernel has none; and under the translator, because its tables
/// take Linux and the firmware a quarter of the time until the program starts, unless the user asks for it
/// (`acpi=` in the machine's properties or among the kernel's parameters) or adds something to QEMU's command
/// line, which may need it.
bool goes_without_acpi(const MachineOptions& options);

/// The value of QEMU's -machine. `options.accelerator` is kvm or tcg.
std::string machine_argument(const MachineOptions& options);

/// What Linux has to be told on this machine, as words of its command line; empty if nothing.
std::vector<std::string> machine_parameters(const MachineOptions& options);

/// The value of QEMU's -smp.
std::string processors_argument(const MachineOptions& options);

/// The file for QEMU's -bios; empty: QEMU's own choice.
std::string firmware(const MachineOptions& options);

/// Refuses what would hang or boot with fewer CPUs than asked for: a type that does not start PVH kernels (a
/// further -machine among the arguments for QEMU counts too), more CPUs than the type or our kernels have.
/// Errors: usage; kernel_lacks, if the image's kernel lacks what the machine asks of it.
Result<void> check_machine(const MachineOptions& options);

} // namespace ukl
