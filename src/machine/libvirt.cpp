// SPDX-License-Identifier: GPL-2.0-only
#include "machine/libvirt.hpp"
#include "machine/qemu_network.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl {
namespace {

using Kind = HostNetwork::Kind;

Result<void> check(const MachineOptions& options) {
  const auto any_card = [&](auto is) {
    return is(options.network) || std::ranges::any_of(options.more_networks, is);
  };
  const bool named = any_card([](const HostNetwork& card) { return card.kind == Kind::named; });
  const bool machines = any_card([](const HostNetwork& card) { return card.kind == Kind::machines; });
  const bool passt = any_card([](const HostNetwork& card) { return card.kind == Kind::passt; });
  const bool ipv6_ports = std::ranges::any_of(options.forwards, &Forward::ipv6);
  const bool files = std::ranges::any_of(
      options.volumes, [](const Volume& volume) { return volume.kind == VolumeKind::file; });
  return refuse_lacks(
      "a domain of libvirt", options,
      {{!options.machine.empty(), "machine types (--machine)", "it is a q35; edit the file for another"},
       {named, "network of ukl network create", "take --network bridge:NAME or another"},
       {machines, "private network", "take --network bridge:NAME"},
       {passt, "passt, as Debian builds it", "take --network user"},
       {ipv6_ports, "ports at IPv6 addresses of this machine",
        "take an IPv4 address, or --network bridge:NAME"},
       {files, "single files as volumes", "take their folder, or a disk: ukl volume create --from FOLDER"}});
}

std::vector<std::string> parameters(const MachineOptions& options) {
  (void)options;
  return {kLibvirtParameters};
}

// QEMU's own network as ukl run has it, with its ports, for which libvirt has no words.
void add_user_card(const MachinePlan& plan, const HostNetwork& card, std::size_t number,
                   LibvirtDevices& devices) {
  const auto id = fmt::format("ukl{}", number);
  const auto settings = card_settings(plan.options, plan.manifest, number);
  devices.qemu_arguments.insert(
      devices.qemu_arguments.end(),
      {"-netdev",
       qemu_user_network(id, settings, number == 0 ? plan.options.forwards : std::vector<Forward>()),
       "-device",
       // A place far behind those that libvirt gives to its own, which come later.
       fmt::format("virtio-net-pci,netdev={},bus=pcie.0,addr={:#x}{}{}", id, 0x10 + number,
                   card.mac.empty() ? "" : ",mac=", card.mac)});
}

void add_card(const MachinePlan& plan, const HostNetwork& card, std::size_t number, LibvirtDevices& devices) {
  if (card.kind == Kind::user)
    return add_user_card(plan, card, number, devices);
  const bool bridge = card.kind == Kind::bridge;
  devices.elements.push_back(fmt::format(
      "<interface type='{}'>{}{}<model type='virtio'/></interface>", bridge ? "bridge" : "ethernet",
      bridge ? fmt::format("<source bridge='{}'/>", xml_escaped(card.name))
             : fmt::format("<target dev='{}' managed='no'/>", xml_escaped(card.name)),
      card.mac.empty() ? "" : fmt::format("<mac address='{}'/>", card.mac)));
}

std::string file(const MachinePlan& plan) {
  const auto& options = plan.options;
  LibvirtDevices devices;
  if (has_network(plan))
    add_card(plan, options.network, 0, devices);
  for (std::size_t number = 0; number < options.more_networks.size(); ++number)
    add_card(plan, options.more_networks[number], number + 1, devices);
  for (std::size_t index = 0; index < options.volumes.size(); ++index)
    if (const auto& volume = options.volumes[index]; volume.kind == VolumeKind::folder)
      devices.elements.push_back(fmt::format("<filesystem type='mount' accessmode='mapped'><source dir='{}'/>"
                                             "<target dir='{}'/>{}</filesystem>",
                                             xml_escaped(volume.host.string()), volume_tag(index),
                                             volume.read_only ? "<readonly/>" : ""));
  return libvirt_domain(describe_machine(plan), devices, options.accelerator != Accelerator::tcg);
}

std::vector<std::string> command(const MachinePlan& plan) {
  return {"virsh", "define", plan.file.string()};
}

} // namespace

std::string libvirt_domain(const DescribedMachine& machine, const LibvirtDevices& devices, bool kvm) {
  std::string all;
  char letter = 'a';
  for (const auto& [path, read_only] : machine.disks)
    all += fmt::format(
        "    <disk type='file'><driver name='qemu' type='raw' discard='unmap'/><source file='{}'/>"
        "<target dev='vd{:c}' bus='virtio'/>{}</disk>\n",
        xml_escaped(path), letter++, read_only ? "<readonly/>" : "");
  for (const auto& device : devices.elements)
    all += "    " + device + "\n";
  std::string arguments, space;
  for (const auto& argument : devices.qemu_arguments)
    arguments += fmt::format("    <qemu:arg value='{}'/>\n", xml_escaped(argument));
  if (!arguments.empty()) {
    space = " xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'";
    arguments = fmt::format("  <qemu:commandline>\n{}  </qemu:commandline>\n", arguments);
  }
  return fmt::format("<domain type='{}'{}>\n"
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
                     "{}"
                     "</domain>\n",
                     kvm ? "kvm" : "qemu", space, xml_escaped(machine.name), machine.mebibytes, machine.cpus,
                     xml_escaped(machine.image), xml_escaped(machine.parameters),
                     kvm ? "host-passthrough" : "maximum", all, arguments);
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
