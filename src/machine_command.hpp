// SPDX-License-Identifier: GPL-2.0-only
// The machine as QEMU's command line.
#pragma once

#include "machine_options.hpp"
#include "ukl/manifest.hpp"

namespace ukl {

/// Descriptors that QEMU inherits, connected to us at their other end; -1: the machine has no such channel.
struct Channels {
  int control = -1; ///< for kControlPort
  int input = -1;   ///< for kInputPort
};

/// The program that runs machines.
inline constexpr const char* kQemu = "qemu-system-x86_64";

/// A value for the kernel's command line, encoded as include/ukl/manifest.hpp says.
std::string percent_encode(std::string_view text);

/// What is added to the kernel's own parameters: `ukl.…` words, then the user's. Error: usage, if it is
/// longer than Linux takes.
Result<std::string> kernel_parameters(const MachineOptions& options);

/// QEMU's whole command line: kQemu, the machine, its devices (network as in the image's manifest), the
/// image. The console is QEMU's standard input and output. `options.accelerator` is kvm or tcg. Errors: usage
/// (too long parameters; a forwarded port in an image without a network).
Result<std::vector<std::string>> qemu_command(const MachineOptions& options, const Manifest& manifest,
                                              const Channels& channels);

/// One line that a shell takes.
std::string shell_line(const std::vector<std::string>& command);

} // namespace ukl
