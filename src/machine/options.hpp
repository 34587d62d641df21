// SPDX-License-Identifier: GPL-2.0-only
// What `ukl run` is asked for, read from the texts that the user writes.
#pragma once

#include "image/memory.hpp"
#include "machine/host_network.hpp"
#include "machine/volumes.hpp"
#include "support/result.hpp"
#include "ukl/manifest.hpp"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace ukl {

class LineWatch;
class NetworkLease;

/// A host port that leads to a port of the program.
struct Forward {
  std::string protocol = "tcp";           ///< tcp or udp
  std::string host_address = "127.0.0.1"; ///< IPv4 or IPv6
  std::uint16_t host_port = 0;            ///< 0: any that is free
  std::uint16_t guest_port = 0;

  bool ipv6() const { return host_address.find(':') != std::string::npos; }
  /// `127.0.0.1:80`, `[::1]:80`
  std::string host() const;
};

/// A folder of the program's that lies in the machine's memory (tmpfs).
struct MemoryFolder {
  std::string path;       ///< absolute
  std::uint64_t most = 0; ///< bytes; 0: half of the memory
};

enum class Accelerator { automatic, kvm, tcg };

/// One run of an image.
struct MachineOptions {
  std::string name; ///< of the machine; empty: it has none
  std::filesystem::path image;
  std::string machine = "q35";    ///< QEMU's machine type, with properties behind commas
  std::vector<std::string> lacks; ///< what the image's kernel lacks (src/kernel/lacks.hpp)
  Accelerator accelerator = Accelerator::automatic;
  std::uint64_t memory = kUsualMemory; ///< bytes
  RootType root = RootType::tmpfs;     ///< what the image is unpacked into
  unsigned cpus = 1;
  HostNetwork network;                    ///< of the first card, which has the image's addresses
  std::vector<HostNetwork> more_networks; ///< of the others, which have addresses and MACs of their own
  std::filesystem::path private_networks; ///< the folder of all of them (Places::networks)
  std::vector<Forward> forwards;          ///< to the first card
  std::vector<std::shared_ptr<const NetworkLease>> leases; ///< of addresses, as long as the machine is there
  std::filesystem::path folder;       ///< of the machine's record, for sockets to it; empty: it has none
  std::vector<std::uint16_t> awaited; ///< TCP ports of the guest: say when somebody listens there
  std::vector<Volume> volumes;
  std::string disks = "vd"; ///< how Linux calls the hypervisor's disks, without their letter
  std::vector<MemoryFolder> memory_folders;
  int stop_signal = 15;                             ///< what asks the program to end
  bool read_only = false;                           ///< the root tree
  Manifest settings;                                ///< over the image's manifest (add_run_settings)
  bool takes_block = false;                         ///< the image's start code finds its settings in a block
  std::vector<std::string> arguments;               ///< replace the image's, unless empty
  std::string append;                               ///< kernel parameters, as they are
  std::vector<std::string> qemu_arguments;          ///< for QEMU, as they are
  std::optional<std::chrono::milliseconds> timeout; ///< after which the machine is stopped
  bool trace = false;                               ///< learn which system calls are made
  bool find_files = false;                          ///< learn which files the program does not find
  enum class Times { none, phases, initcalls } times = Times::none; ///< what to report of when what ran
  /// A kept machine (warm_machine.hpp): made when the program is ready, or gone on from.
  struct Warm {
    enum class Use { none, keep, go_on } use = Use::none;
    std::filesystem::path folder;
    std::uint16_t port = 0;          ///< keep: when somebody listens on this TCP port …
    std::shared_ptr<LineWatch> line; ///< … when the program says this; neither: when it has started
  } warm;
  bool probe = false; ///< end where the program would start, with status 0
};

/// `64M`, `1G`, `65536K`; a number alone is in MiB, as for QEMU. Returns bytes. Error: usage.
Result<std::uint64_t> parse_size(const std::string& text);

/// `PATH[:SIZE]`. Error: usage.
Result<MemoryFolder> parse_memory_folder(const std::string& text);

/// Seconds, a number above 0 that may have a fraction; `inf`, and what nobody can wait for, is no limit.
/// Error: usage.
Result<std::optional<std::chrono::milliseconds>> parse_timeout(const std::string& text);

/// `[ADDRESS:]HOST:GUEST[/tcp|/udp]`; an ADDRESS of IPv6 is in brackets; HOST 0 is any that is free
/// (choose_free_ports). Error: usage.
Result<Forward> parse_forward(const std::string& text);
/// One to any free port of this machine for each port that the image's manifest names.
std::vector<Forward> forwards_of(const Manifest& image);
/// The same, but HOST and GUEST may be ranges of one length, FIRST-LAST. Error: usage.
Result<std::vector<Forward>> parse_forwards(const std::string& text);

} // namespace ukl
