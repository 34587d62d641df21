// SPDX-License-Identifier: GPL-2.0-only
// Hypervisors with a console, disks and a network card on a device of the host: Firecracker, Cloud Hypervisor
// and Xen. What else a run may ask for is refused by name before anything is started.
#include "machine/hypervisor.hpp"
#include "machine/hypervisor_files.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <unistd.h>

namespace ukl {

Result<void> refuse_lacks(const char* vmm, const MachineOptions& options, std::vector<HypervisorLack> lacks) {
  lacks.insert(lacks.end(),
               {{options.trace, "way to trace calls (--trace-calls)", ""},
                {options.find_files, "way to look for files (--find-files)", ""},
                {options.times != MachineOptions::Times::none, "times to tell (--time, --bootchart)", ""},
                {options.warm.use != MachineOptions::Warm::Use::none, "kept machines", ""},
                {!options.qemu_arguments.empty(), "use for QEMU's arguments (--qemu-arg)", ""}});
  for (const auto& [asked, what, instead] : lacks)
    if (asked)
      return Error{Failure::usage, fmt::format("{} has no {}", vmm, what),
                   instead.empty() ? "leave it out, or take --vmm qemu" : instead};
  return {};
}

namespace {

Result<void> check_plain(const char* vmm, HostNetwork::Kind network, const char* network_form,
                         const MachineOptions& options) {
  const bool folders = std::ranges::any_of(
      options.volumes, [](const Volume& volume) { return volume.kind != VolumeKind::disk; });
  const auto kind = options.network.kind;
  return refuse_lacks(vmm, options,
                      {{!options.machine.empty(), "machine types (--machine)", ""},
                       {options.accelerator == Accelerator::tcg, "translator (--accel tcg)", ""},
                       {!options.forwards.empty(), "forwarded ports (-p)",
                        fmt::format("the program is reached at its own address: --network {}", network_form)},
                       {kind != network && kind != HostNetwork::Kind::none, "network of that kind",
                        fmt::format("take --network {} or --network none", network_form)},
                       {!options.more_networks.empty(), "second network card", ""},
                       {folders, "folders of the host as volumes",
                        "put the files on a disk: ukl volume create --from FOLDER"}});
}

} // namespace

std::string no_machine_type(const std::vector<std::string>& lacks) {
  (void)lacks;
  return {};
}

DescribedMachine describe_machine(const MachinePlan& plan) {
  const auto& options = plan.options;
  DescribedMachine machine;
  // Two of an image may run.
  machine.name = !options.name.empty()
                     ? options.name
                     : fmt::format("{}-{}", value_of(plan.manifest, key::hostname, "ukl"), getpid());
  machine.image = std::filesystem::absolute(options.image).string();
  machine.initrd = plan.initrd.string();
  machine.parameters = plan.parameters;
  machine.mebibytes = (options.memory + (1 << 20) - 1) >> 20;
  machine.cpus = options.cpus;
  for (const auto& volume : options.volumes)
    if (volume.kind == VolumeKind::disk)
      machine.disks.push_back({std::filesystem::absolute(volume.host).string(), volume.read_only});
  if (has_network(plan))
    machine.tap = options.network.name;
  machine.mac = options.network.mac;
  return machine;
}

namespace {

Result<void> check_firecracker(const MachineOptions& options) {
  return check_plain("Firecracker", HostNetwork::Kind::tap, "tap:NAME", options);
}
std::vector<std::string> firecracker_parameters(const MachineOptions& options) {
  (void)options;
  return {kFirecrackerParameters};
}
std::vector<std::string> firecracker_command(const MachinePlan& plan) {
  return {"firecracker", "--no-api", "--config-file", plan.file.string()};
}
std::string firecracker_file(const MachinePlan& plan) {
  return firecracker_config(describe_machine(plan));
}

Result<void> check_cloud_hypervisor(const MachineOptions& options) {
  return check_plain("Cloud Hypervisor", HostNetwork::Kind::tap, "tap:NAME", options);
}
std::vector<std::string> cloud_hypervisor_parameters(const MachineOptions& options) {
  (void)options;
  return {kCloudHypervisorParameters};
}
std::vector<std::string> cloud_hypervisor_line(const MachinePlan& plan) {
  return cloud_hypervisor_command(describe_machine(plan));
}

Result<void> check_xen(const MachineOptions& options) {
  return check_plain("Xen", HostNetwork::Kind::bridge, "bridge:NAME", options);
}
std::vector<std::string> xen_parameters(const MachineOptions& options) {
  (void)options;
  return {kXenParameters};
}
std::vector<std::string> xen_command(const MachinePlan& plan) {
  return {"xl", "-q", "create", "-c", plan.file.string()};
}
std::string xen_file(const MachinePlan& plan) {
  return xen_domain(describe_machine(plan));
}

} // namespace

const Hypervisor& firecracker() {
  static constexpr Hypervisor kHypervisor = {.name = "firecracker",
                                             .program = "firecracker",
                                             .package = "",
                                             .usual_machine = no_machine_type,
                                             .check = check_firecracker,
                                             .parameters = firecracker_parameters,
                                             .command = firecracker_command,
                                             .file = firecracker_file,
                                             .has_ports = false,
                                             .disks = "vd"};
  return kHypervisor;
}

const Hypervisor& cloud_hypervisor() {
  static constexpr Hypervisor kHypervisor = {.name = "cloud-hypervisor",
                                             .program = "cloud-hypervisor",
                                             .package = "",
                                             .usual_machine = no_machine_type,
                                             .check = check_cloud_hypervisor,
                                             .parameters = cloud_hypervisor_parameters,
                                             .command = cloud_hypervisor_line,
                                             .file = nullptr,
                                             .has_ports = false,
                                             .disks = "vd"};
  return kHypervisor;
}

const Hypervisor& xen() {
  static constexpr Hypervisor kHypervisor = {.name = "xen",
                                             .program = "xl",
                                             .package = "xen-utils",
                                             .usual_machine = no_machine_type,
                                             .check = check_xen,
                                             .parameters = xen_parameters,
                                             .command = xen_command,
                                             .file = xen_file,
                                             .has_ports = false,
                                             .disks = "xvd"};
  return kHypervisor;
}

} // namespace ukl
