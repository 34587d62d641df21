// SPDX-License-Identifier: GPL-2.0-only
#include "machine/libvirt.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl {
namespace {

using Kind = HostNetwork::Kind;

std::string no_machine_type(const std::vector<std::string>& lacks) {
  (void)lacks;
  return {};
}

Result<void> check(const MachineOptions& options) {
  const auto any_card = [&](auto is) {
    return is(options.network) || std::ranges::any_of(options.more_networks, is);
  };
  const bool named = any_card([](const HostNetwork& card) { return card.kind == Kind::named; });
  const bool files = std::ranges::any_of(
      options.volumes, [](const Volume& volume) { return volume.kind == VolumeKind::file; });
  return refuse_lacks(
      "a domain of libvirt",
      {{!options.machine.empty(), "machine types (--machine)", "it is a q35; edit the file for another"},
       {named, "network of ukl network create", "take --network bridge:NAME or another"},
       {files, "single files as volumes", "take their folder, or a disk: ukl volume create --from FOLDER"},
       {options.trace, "way to trace calls (--trace-calls)", ""},
       {options.find_files, "way to look for files (--find-files)", ""},
       {options.times != MachineOptions::Times::none, "times to tell (--time, --bootchart)", ""},
       {options.warm.use != MachineOptions::Warm::Use::none, "kept machines", ""},
       {!options.qemu_arguments.empty(), "use for QEMU's arguments (--qemu-arg)", ""}});
}

std::vector<std::string> parameters(const MachineOptions& options) {
  (void)options;
  return {"console=ttyS0"};
}

// Ports are passt's: libvirt has none for QEMU's own network.
std::string card_of(const MachinePlan& plan, const HostNetwork& card, std::size_t number) {
  const auto& forwards = plan.options.forwards;
  const bool ports = number == 0 && !forwards.empty();
  std::string type = "user", inside;
  if (card.kind == Kind::bridge) {
    type = "bridge";
    inside = fmt::format("<source bridge='{}'/>", xml_escaped(card.name));
  } else if (card.kind == Kind::tap) {
    type = "ethernet";
    inside = fmt::format("<target dev='{}' managed='no'/>", xml_escaped(card.name));
  } else if (card.kind == Kind::passt || ports) {
    inside = "<backend type='passt'/>";
  }
  if (!card.mac.empty())
    inside += fmt::format("<mac address='{}'/>", card.mac);
  inside += "<model type='virtio'/>";
  if (type == "user")
    for (const auto& [name, address] : card_settings(plan.options, plan.manifest, number))
      if (const auto slash = address.find('/'); name == key::address && slash != std::string::npos)
        inside += fmt::format("<ip family='{}' address='{}' prefix='{}'/>",
                              address.find(':') == std::string::npos ? "ipv4" : "ipv6",
                              address.substr(0, slash), address.substr(slash + 1));
  if (ports)
    for (const auto& forward : forwards)
      inside += fmt::format("<portForward proto='{}' address='{}'><range start='{}' to='{}'/></portForward>",
                            forward.protocol, forward.host_address, forward.host_port, forward.guest_port);
  return fmt::format("<interface type='{}'>{}</interface>", type, inside);
}

std::string file(const MachinePlan& plan) {
  const auto& options = plan.options;
  std::vector<std::string> devices;
  if (has_network(plan))
    devices.push_back(card_of(plan, options.network, 0));
  for (std::size_t number = 0; number < options.more_networks.size(); ++number)
    devices.push_back(card_of(plan, options.more_networks[number], number + 1));
  for (std::size_t index = 0; index < options.volumes.size(); ++index)
    if (const auto& volume = options.volumes[index]; volume.kind == VolumeKind::folder)
      devices.push_back(fmt::format("<filesystem type='mount' accessmode='mapped'><source dir='{}'/>"
                                    "<target dir='{}'/>{}</filesystem>",
                                    xml_escaped(volume.host.string()), volume_tag(index),
                                    volume.read_only ? "<readonly/>" : ""));
  auto machine = describe_machine(plan);
  if (!options.name.empty())
    machine.name = options.name;
  return libvirt_domain(machine, devices, options.accelerator != Accelerator::tcg);
}

std::vector<std::string> command(const MachinePlan& plan) {
  return {"virsh", "define", plan.file.string()};
}

} // namespace

std::string libvirt_domain(const DescribedMachine& machine, const std::vector<std::string>& devices,
                           bool kvm) {
  std::string all;
  char letter = 'a';
  for (const auto& [path, read_only] : machine.disks)
    all += fmt::format(
        "    <disk type='file'><driver name='qemu' type='raw' discard='unmap'/><source file='{}'/>"
        "<target dev='vd{:c}' bus='virtio'/>{}</disk>\n",
        xml_escaped(path), letter++, read_only ? "<readonly/>" : "");
  for (const auto& device : devices)
    all += "    " + device + "\n";
  return fmt::format("<domain type='{}'>\n"
                     "  <name>{}</name>\n"
                     "  <memory unit='MiB'>{}</memory>\n"
                     "  <vcpu>{}</vcpu>\n"
                     "  <os>\n"
                     "    <type arch='x86_64' machine='q35'>hvm</type>\n"
                     "    <kernel>{}</kernel>\n"
                     "    <cmdline>{}</cmdline>\n"
                     "  </os>\n"
                     "  <features><acpi/></features>\n"
                     "  <cpu mode='{}'/>\n"
                     "  <on_reboot>destroy</on_reboot>\n"
                     "  <on_crash>destroy</on_crash>\n"
                     "  <devices>\n"
                     "{}"
                     "    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>\n"
                     "    <serial type='pty'/>\n"
                     "    <console type='pty'/>\n"
                     "  </devices>\n"
                     "</domain>\n",
                     kvm ? "kvm" : "qemu", xml_escaped(machine.name), machine.mebibytes, machine.cpus,
                     xml_escaped(machine.image), xml_escaped(machine.parameters),
                     kvm ? "host-passthrough" : "maximum", all);
}

const Hypervisor& libvirt() {
  static constexpr Hypervisor kHypervisor = {.name = "libvirt",
                                             .program = "virsh",
                                             .package = "libvirt-clients",
                                             .usual_machine = no_machine_type,
                                             .check = check,
                                             .parameters = parameters,
                                             .command = command,
                                             .file = file,
                                             .has_ports = false,
                                             .disks = "vd"};
  return kHypervisor;
}

} // namespace ukl
