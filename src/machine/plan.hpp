// SPDX-License-Identifier: GPL-2.0-only
// A machine before anybody starts it: what its image needs and its run asks for, put together.
#pragma once

#include "machine/options.hpp"
#include "ukl/manifest.hpp"

namespace ukl {

struct Hypervisor;

/// Descriptors that the hypervisor inherits, connected to us at their other end; -1: the machine has no such
/// channel.
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
  /// For each network card the descriptors that it is connected to, or none (HostCards). May be shorter.
  std::vector<std::vector<int>> cards = {};
};

/// What a hypervisor starts.
struct MachinePlan {
  MachineOptions options;       ///< `image` is the kernel; `accelerator` is kvm or tcg
  Manifest manifest;            ///< the image's, with this run's settings over it
  std::string parameters;       ///< the kernel's command line, whole
  std::filesystem::path initrd; ///< the block of settings, or another kernel's files; empty: none
  Channels channels;
  std::filesystem::path file = {}; ///< for what the hypervisor reads besides its command line
};

/// Errors: usage (too long parameters; forwarded ports without a network that has them).
Result<MachinePlan> plan_machine(const Hypervisor& hypervisor, const MachineOptions& options,
                                 const Manifest& image, const Channels& channels);

/// Whether the first card's network has a way for each forwarded port; `manifest`: the machine's settings.
/// Error: usage.
Result<void> check_forwards(const MachineOptions& options, const Manifest& manifest);

/// Whether the machine has a first network card.
bool has_network(const MachinePlan& plan);

/// The addresses that the network of a card begins with: key::address, and for the first one key::gateway and
/// key::dns, as the machine's settings say.
Manifest card_settings(const MachineOptions& options, const Manifest& settings, std::size_t card);

/// How the machine and its init call the volume of that number.
std::string volume_tag(std::size_t index);

/// A value for the kernel's command line, encoded as include/ukl/manifest.hpp says.
std::string percent_encode(std::string_view text);

/// What the run adds to the image's manifest; `more` are those settings that no option has.
Manifest run_settings(const MachineOptions& options, const Manifest& more = {});

/// What is added to the kernel's own parameters: those that the machine needs, `settings` as `ukl.…` words,
/// then the user's. Error: usage, if it is longer than Linux takes, or a setting can only go in a block.
Result<std::string> kernel_parameters(const Hypervisor& hypervisor, const MachineOptions& options,
                                      const Manifest& settings);

} // namespace ukl
