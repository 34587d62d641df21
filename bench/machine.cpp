// SPDX-License-Identifier: GPL-2.0-only
#include "machine.hpp"
#include "ipv4.hpp"
#include "support/files.hpp"
#include "support/process.hpp"
#include "tap_network.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

namespace ukl::bench {
namespace {

// What the card is attached to; empty: there is no card.
std::string network_of(const Machine& machine) {
  if (machine.tap)
    return fmt::format("tap,ifname={},script=no,downscript=no", kTapName);
  if (machine.forwards.empty())
    return "";
  std::string network = "user";
  for (const auto& forward : machine.forwards)
    network +=
        fmt::format(",hostfwd={}:127.0.0.1:{}-:{}", forward.udp ? "udp" : "tcp", forward.host, forward.guest);
  return network;
}

} // namespace

std::vector<std::string> qemu_command(const Machine& machine) {
  std::vector<std::string> command = {"qemu-system-x86_64",
                                      "-machine",
                                      "q35",
                                      "-accel",
                                      "tcg",
                                      "-cpu",
                                      "max",
                                      "-m",
                                      "512",
                                      "-smp",
                                      "1",
                                      "-seed",
                                      std::to_string(machine.seed),
                                      "-display",
                                      "none",
                                      "-serial",
                                      "stdio",
                                      "-no-reboot",
                                      "-kernel",
                                      machine.kernel};
  const auto add = [&](const std::string& option, const std::string& value) {
    command.insert(command.end(), {option, value});
  };
  if (!machine.initrd.empty())
    add("-initrd", machine.initrd);
  if (machine.count_instructions)
    add("-icount", "shift=0,sleep=off");
  if (!machine.plugin.empty())
    add("-plugin", machine.plugin);
  const auto network = network_of(machine);
  if (network.empty()) {
    add("-nic", "none");
  } else {
    add("-netdev", network + ",id=net0");
    add("-device", "virtio-net-pci,netdev=net0,romfile=");
  }
  add("-append", machine.command_line);
  return command;
}

std::string qemu_version() {
  auto output = run_command({"qemu-system-x86_64", "--version"});
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
