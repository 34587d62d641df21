// SPDX-License-Identifier: GPL-2.0-only
// The virtual machine that every measurement runs in, the same for all systems but for the kernel: what
// `ukl run` starts on QEMU's translator, but for its channels to the program.
#pragma once

#include "machine/options.hpp"

namespace ukl::bench {

struct Machine {
  MachineOptions options;       ///< its network is the user network or, with `tap`, a tap interface
  Manifest manifest;            ///< of the image
  bool ours = true;             ///< an image; else a kernel of somebody else's, which gets only `append`
  std::filesystem::path initrd; ///< for a kernel of somebody else's
  bool tap = false; ///< the card is on the tap interface of the process's network (tap_network.hpp)
  bool count_instructions =
      false;          ///< the guest's clock advances by 1 ns per instruction, and time is not real
  unsigned seed = 1;  ///< of the guest's random numbers, and with them of its memory layout
  std::string plugin; ///< `FILE.so,option=…`, or empty
};

/// One CPU, 512 MiB, TCG: on machines with KVM as well, so that figures can be compared, and because
/// instructions can be counted only there. q35 with ACPI, which Debian's kernel needs.
Machine measured_machine();

/// The command that boots it, with the guest's first serial port as standard output. Errors: those of
/// plan_machine.
Result<std::vector<std::string>> boot_command(const Machine& machine);

/// `qemu-system-x86_64 --version`'s first line, or "unknown".
std::string qemu_version();

/// A port that nobody listens on at the moment; 0 if there is none.
int free_port(bool udp);

} // namespace ukl::bench
