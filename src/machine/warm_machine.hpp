// SPDX-License-Identifier: GPL-2.0-only
// A kept machine: a folder with an image, the memory of a machine in which its program runs, and QEMU's state
// of its devices. Machines that go on from it map the memory, so that pages come when they are used and
// several share them.
#pragma once

#include "machine/options.hpp"

namespace ukl {

/// What has to be the same for a kept machine to go on, and what it was made with.
struct WarmMachine {
  std::filesystem::path folder;
  std::string qemu;         ///< the first line of `qemu-system-x86_64 --version`
  std::string processor;    ///< "tcg", or under KVM this machine's processor with its features
  std::string machine;      ///< QEMU's machine type
  std::uint64_t memory = 0; ///< bytes
  unsigned cpus = 1;

  std::filesystem::path image_file() const { return folder / "image.ukl"; }
  std::filesystem::path memory_file() const { return folder / "memory"; }
  std::filesystem::path state_file() const { return folder / "state"; }
};

/// Whether a path names one.
bool is_warm_machine(const std::filesystem::path& path);

/// Of a machine that is about to be made from these options in `folder`. Error: missing_tool.
Result<WarmMachine> plan_warm_machine(const MachineOptions& options, const std::filesystem::path& folder);

/// Writes what read_warm_machine reads; last of all, since a folder without it is none. Errors: unwritable,
/// disk_full.
Result<void> write_warm_machine(const WarmMachine& warm);

/// Errors: not_found, not_an_image (also a damaged one), other_version.
Result<WarmMachine> read_warm_machine(const std::filesystem::path& folder);

/// Why a machine with these options cannot go on from it, in a part of a sentence; empty if it can.
/// `options.accelerator` is kvm or tcg.
std::string warm_obstacle(const WarmMachine& warm, const MachineOptions& options);

} // namespace ukl
