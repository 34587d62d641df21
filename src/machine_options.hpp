// SPDX-License-Identifier: GPL-2.0-only
// What `ukl run` is asked for, read from the texts that the user writes.
#pragma once

#include "support/result.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace ukl {

/// A host port that leads to a port of the program.
struct Forward {
  std::string protocol = "tcp";           ///< tcp or udp
  std::string host_address = "127.0.0.1"; ///< IPv4
  std::uint16_t host_port = 0;
  std::uint16_t guest_port = 0;
};

/// A folder or a disk file of the host that the program sees at a path of its own.
struct Volume {
  std::filesystem::path host; ///< a folder (shared over 9p) or a file (a disk with an ext4 file system)
  std::string guest;          ///< absolute path
};

enum class Accelerator { automatic, kvm, tcg };

/// One run of an image.
struct MachineOptions {
  std::filesystem::path image;
  std::string machine = "q35"; ///< QEMU's machine type: q35, pc or microvm
  Accelerator accelerator = Accelerator::automatic;
  std::uint64_t memory = 256ull << 20; ///< bytes
  unsigned cpus = 1;
  std::vector<Forward> forwards;
  std::vector<Volume> volumes;
  std::vector<std::string> environment;             ///< NAME=value, over the image's
  std::vector<std::string> arguments;               ///< replace the image's, unless empty
  std::string append;                               ///< kernel parameters, as they are
  std::vector<std::string> qemu_arguments;          ///< for QEMU, as they are
  std::optional<std::chrono::milliseconds> timeout; ///< after which the machine is stopped
  bool trace = false;                               ///< learn which system calls are made
  bool probe = false;                               ///< end where the program would start, with status 0
};

/// `64M`, `1G`, `65536K`; a number alone is in MiB, as for QEMU. Returns bytes. Error: usage.
Result<std::uint64_t> parse_size(const std::string& text);

/// `[ADDRESS:]HOST:GUEST[/tcp|/udp]`. Error: usage.
Result<Forward> parse_forward(const std::string& text);

/// `HOST:GUEST`, where HOST exists and GUEST is absolute. Errors: usage, not_found.
Result<Volume> parse_volume(const std::string& text);

} // namespace ukl
