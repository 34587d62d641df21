// SPDX-License-Identifier: GPL-2.0-only
// What a debugger has to know of a running machine: which files its code comes from, and where that lies.
#pragma once

#include "lifecycle/qemu_client.hpp"

#include <optional>

namespace ukl {

/// A file with symbols, and what is added to its addresses.
struct LoadedFile {
  std::filesystem::path file;
  std::uint64_t slide = 0;
};

/// The kernel that a machine's image was made with, from the cache, and how far this run has moved it, which
/// the gate page says. Nothing if the kernel is no longer in the cache, or has no gate page (classic), or
/// the machine has not come that far. Errors: those of read_image and QemuClient.
Result<std::optional<LoadedFile>> kernel_of(const KnownMachine& machine, QemuClient& qemu);

/// The program's number in its machine; 0 if the machine's init does not answer, or it has ended.
unsigned program_of(const KnownMachine& machine);

/// What the program has mapped as code, itself first, copied into `folder`. None if the machine's init does
/// not answer. Error: unwritable.
Result<std::vector<LoadedFile>> program_files_of(const KnownMachine& machine,
                                                 const std::filesystem::path& folder);

/// The file names of a text like /proc/PID/maps that have code, each once, and where the first piece of each
/// begins.
std::vector<std::pair<std::string, std::uint64_t>> code_in_maps(const std::string& maps);

/// The commands by which gdb knows them.
std::string symbol_commands(const std::vector<LoadedFile>& files);

} // namespace ukl
