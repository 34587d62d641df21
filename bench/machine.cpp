// SPDX-License-Identifier: GPL-2.0-only
#include "machine.hpp"
#include "ipv4.hpp"
#include "machine/hypervisor.hpp"
#include "support/files.hpp"
#include "support/process.hpp"
#include "tap_network.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/socket.h>

namespace ukl::bench {
namespace {

// The network of QEMU's, and of the tap (tap_network.hpp).
const Manifest kNetwork = {{std::string(key::address), std::string(kGuestAddress) + "/24"},
                           {std::string(key::gateway), "10.0.2.2"}};

// What `ukl run` has no options for; with any of it Linux measures its counter itself (qemu_type.hpp).
std::vector<std::string> extra_arguments(const Machine& machine) {
  std::vector<std::string> words = {"-seed", std::to_string(machine.seed)};
  if (machine.count_instructions)
    words.insert(words.end(), {"-icount", "shift=0,sleep=off"});
  if (!machine.plugin.empty())
    words.insert(words.end(), {"-plugin", machine.plugin});
  return words;
}

// Arguments of PID 1 follow two dashes.
std::string foreign_parameters(const MachineOptions& options) {
  auto words = "console=ttyS0 quiet " + options.append;
  if (!options.arguments.empty())
    words += fmt::format(" -- {}", fmt::join(options.arguments, " "));
  return words;
}

} // namespace

Machine measured_machine() {
  Machine machine;
  machine.options.machine = "q35,acpi=on";
  machine.options.accelerator = Accelerator::tcg;
  machine.options.memory = 512ull << 20;
  return machine;
}

Result<std::vector<std::string>> boot_command(const Machine& machine) {
  auto options = machine.options;
  options.qemu_arguments = extra_arguments(machine);
  if (machine.tap) {
    options.network.kind = HostNetwork::Kind::tap;
    options.network.name = kTapName;
  } else if (options.forwards.empty()) {
    options.network.kind = HostNetwork::Kind::none;
  }
  if (machine.ours)
    return machine_command(qemu(), options, machine.manifest, {});
  MachinePlan plan{options, kNetwork, foreign_parameters(options), machine.initrd, {}};
  return qemu().command(plan);
}

std::string qemu_version() {
  auto output = run_command({qemu().program, "--version"});
  return output && output->status == 0 ? output->text.substr(0, output->text.find('\n')) : "unknown";
}

int free_port(bool udp) {
  const FileDescriptor fd(socket(AF_INET, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0));
  auto address = ipv4_address("127.0.0.1", 0);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (bind(fd.get(), generic, length) != 0 || getsockname(fd.get(), generic, &length) != 0)
    return 0;
  return ntohs(address.sin_port);
}

} // namespace ukl::bench
