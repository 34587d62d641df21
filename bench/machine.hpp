// SPDX-License-Identifier: GPL-2.0-only
// The virtual machine that every measurement runs in: the same for all systems but for the kernel.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ukl::bench {

/// A port of the host that leads to one of the guest (10.0.2.15).
struct Forward {
  bool udp = false;
  int host = 0, guest = 0;
};

struct Machine {
  std::filesystem::path kernel;
  std::filesystem::path initrd;  ///< empty: the kernel's file holds it
  std::string command_line;      ///< of the kernel
  std::vector<Forward> forwards; ///< none: no network card, unless `tap` says otherwise
  bool tap = false; ///< the card is on the tap interface of the process's network (tap_network.hpp)
  bool count_instructions =
      false;          ///< the guest's clock advances by 1 ns per instruction, and time is not real
  unsigned seed = 1;  ///< of the guest's random numbers, and with them of its memory layout
  std::string plugin; ///< `FILE.so,option=…`, or empty
};

/// The command that boots it, with the guest's first serial port as standard output. One CPU, 512 MiB, TCG:
/// on machines with KVM as well, so that figures can be compared, and because instructions can be counted
/// only there.
std::vector<std::string> qemu_command(const Machine& machine);

/// `qemu-system-x86_64 --version`'s first line, or "unknown".
std::string qemu_version();

/// A port that nobody listens on at the moment; 0 if there is none.
int free_port(bool udp);

} // namespace ukl::bench
