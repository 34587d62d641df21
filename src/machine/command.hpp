// SPDX-License-Identifier: GPL-2.0-only
// The machine as QEMU's command line.
#pragma once

#include "machine/options.hpp"
#include "ukl/manifest.hpp"

namespace ukl {

/// Descriptors that QEMU inherits, connected to us at their other end; -1: the machine has no such channel.
struct Channels {
  int control = -1;  ///< for kControlPort
  int input = -1;    ///< for kInputPort
  int output = -1;   ///< for kOutputPort
  int error = -1;    ///< for kErrorPort
  int terminal = -1; ///< for kTerminalPort
  int monitor = -1;  ///< QEMU's own machine protocol (QMP), for machines with a network
  int exec = -1;     ///< for exec::kPort
  Manifest words;    ///< what init has to know of them
  int settings = -1; ///< a settings_block of run_settings(); -1: these go on the kernel's command line
  /// For each volume the socket of its virtiofsd, or -1 for a disk and for 9p. May be shorter or empty.
  std::vector<int> folders = {};
  int visitors = -1; ///< a listening socket: a second monitor (monitor_socket.hpp)
};

/// The program that runs machines.
inline constexpr const char* kQemu = "qemu-system-x86_64";

/// A value for the kernel's command line, encoded as include/ukl/manifest.hpp says.
std::string percent_encode(std::string_view text);

/// What the run adds to the image's manifest; `more` are those settings that no option has.
Manifest run_settings(const MachineOptions& options, const Manifest& more = {});

/// What is added to the kernel's own parameters: those that the machine needs, `settings` as `ukl.…` words,
/// then the user's. Error: usage, if it is longer than Linux takes, or a setting can only go in a block.
Result<std::string> kernel_parameters(const MachineOptions& options, const Manifest& settings);

/// QEMU's whole command line: kQemu, the machine, its devices (network as in the image's manifest and the
/// run's settings), the image. The console is QEMU's standard input and output. `options.accelerator` is kvm
/// or tcg. Errors: usage (too long parameters; a forwarded port in an image without a network).
Result<std::vector<std::string>> qemu_command(const MachineOptions& options, const Manifest& image,
                                              const Channels& channels);

/// One line that a shell takes.
std::string shell_line(const std::vector<std::string>& command);

} // namespace ukl
