// SPDX-License-Identifier: GPL-2.0-only
#include "machine/hypervisor_files.hpp"
#include "machine/libvirt.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

using Machine = DescribedMachine;

HypervisorFile firecracker_file(Machine machine) {
  machine.parameters = fmt::format("{} {}", kFirecrackerParameters, machine.parameters);
  return {firecracker_config(machine),
          [](const std::string& path) { return "firecracker --no-api --config-file " + shell_line({path}); }};
}

HypervisorFile cloud_hypervisor_file(Machine machine) {
  machine.parameters = fmt::format("{} {}", kCloudHypervisorParameters, machine.parameters);
  return {fmt::format("#!/bin/sh\nexec {} \"$@\"\n", shell_line(cloud_hypervisor_command(machine))),
          [](const std::string& path) { return "sh " + shell_line({path}); }};
}

HypervisorFile libvirt_file(Machine machine) {
  machine.parameters = fmt::format("{} {}", kLibvirtParameters, machine.parameters);
  return {libvirt_domain(machine, {{kLibvirtUserCard}, {}}, true),
          [name = machine.name](const std::string& path) {
            return fmt::format("virsh define {} && virsh start {}", shell_line({path}), shell_line({name}));
          }};
}

// A string of xl's configuration files (Xen: tools/libs/util/libxlu_cfg_l.l): a backslash and both quotes are
// escaped.
std::string xl_string(const std::string& text) {
  std::string quoted = "\"";
  for (const char byte : text) {
    if (byte == '"' || byte == '\\')
      quoted += '\\';
    quoted += byte;
  }
  return quoted + "\"";
}

// Without a network card, because a bridge has a name of its own on each host.
HypervisorFile xen_file(Machine machine) {
  machine.parameters = fmt::format("{} {}", kXenParameters, machine.parameters);
  return {xen_domain(machine) + "# vif = [ \"bridge=xenbr0\" ]\n",
          [](const std::string& path) { return "xl create -c " + shell_line({path}); }};
}

struct Format {
  const char *name, *ending;
  HypervisorFile (*make)(Machine);
};
constexpr std::array kFormats = {Format{"firecracker", "json", firecracker_file},
                                 Format{"cloud-hypervisor", "sh", cloud_hypervisor_file},
                                 Format{"libvirt", "xml", libvirt_file}, Format{"xen", "cfg", xen_file}};

const Format* find(const std::string& name) {
  const auto* const found =
      std::ranges::find_if(kFormats, [&](const Format& format) { return name == format.name; });
  return found == kFormats.end() ? nullptr : found;
}

} // namespace

// No ACPI before 1.8, and no S5 after it: a reset is what ends a machine there (kFirecrackerParameters).
std::string firecracker_config(const DescribedMachine& machine) {
  nlohmann::ordered_json boot = {{"kernel_image_path", machine.image}, {"boot_args", machine.parameters}};
  if (!machine.initrd.empty())
    boot["initrd_path"] = machine.initrd;
  auto drives = nlohmann::ordered_json::array();
  for (const auto& [path, read_only] : machine.disks)
    drives.push_back({{"drive_id", fmt::format("disk{}", drives.size())},
                      {"path_on_host", path},
                      {"is_root_device", false},
                      {"is_read_only", read_only}});
  nlohmann::ordered_json config = {
      {"boot-source", boot},
      {"drives", drives},
      {"machine-config", {{"vcpu_count", machine.cpus}, {"mem_size_mib", machine.mebibytes}}}};
  if (!machine.tap.empty()) {
    nlohmann::ordered_json card = {{"iface_id", "eth0"}, {"host_dev_name", machine.tap}};
    if (!machine.mac.empty())
      card["guest_mac"] = machine.mac;
    config["network-interfaces"] = nlohmann::ordered_json::array({card});
  }
  return config.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

std::vector<std::string> cloud_hypervisor_command(const DescribedMachine& machine) {
  std::vector<std::string> command = {"cloud-hypervisor",
                                      "--kernel",
                                      machine.image,
                                      "--cmdline",
                                      machine.parameters,
                                      "--cpus",
                                      fmt::format("boot={}", machine.cpus),
                                      "--memory",
                                      fmt::format("size={}M", machine.mebibytes),
                                      "--serial",
                                      "tty",
                                      "--console",
                                      "off"};
  if (!machine.initrd.empty())
    command.insert(command.end(), {"--initramfs", machine.initrd});
  if (!machine.disks.empty())
    command.emplace_back("--disk");
  for (const auto& [path, read_only] : machine.disks)
    command.push_back(fmt::format("path={}{}", path, read_only ? ",readonly=on" : ""));
  if (!machine.tap.empty())
    command.insert(command.end(), {"--net", fmt::format("tap={}{}{}", machine.tap,
                                                        machine.mac.empty() ? "" : ",mac=", machine.mac)});
  return command;
}

std::string xen_domain(const DescribedMachine& machine) {
  std::string text = fmt::format("name = {}\n"
                                 "type = \"pvh\"\n"
                                 "kernel = {}\n"
                                 "cmdline = {}\n"
                                 "memory = {}\n"
                                 "vcpus = {}\n"
                                 "on_poweroff = \"destroy\"\n"
                                 "on_reboot = \"destroy\"\n"
                                 "on_crash = \"destroy\"\n",
                                 xl_string(machine.name), xl_string(machine.image),
                                 xl_string(machine.parameters), machine.mebibytes, machine.cpus);
  if (!machine.initrd.empty())
    text += fmt::format("ramdisk = {}\n", xl_string(machine.initrd));
  std::string disks;
  char letter = 'a';
  for (const auto& [path, read_only] : machine.disks)
    disks += fmt::format("{}{}", disks.empty() ? "" : ", ",
                         xl_string(fmt::format("format=raw,vdev=xvd{:c},access={},target={}", letter++,
                                               read_only ? "ro" : "rw", path)));
  if (!disks.empty())
    text += fmt::format("disk = [ {} ]\n", disks);
  if (!machine.tap.empty())
    text += fmt::format("vif = [ {} ]\n",
                        xl_string(fmt::format("bridge={}{}{}", machine.tap,
                                              machine.mac.empty() ? "" : ",mac=", machine.mac)));
  return text;
}

bool is_hypervisor_file(const std::string& format) {
  return find(format) != nullptr;
}

std::string hypervisor_file_ending(const std::string& format) {
  const auto* found = find(format);
  return found ? found->ending : format;
}

Result<HypervisorFile> hypervisor_file(const std::string& format, const std::filesystem::path& image,
                                       const ImageInfo& info, std::uint64_t memory,
                                       const std::string& parameters) {
  const auto* found = find(format);
  if (!found)
    return Error{Failure::usage, fmt::format("there is no hypervisor file {}", format),
                 "firecracker, cloud-hypervisor, libvirt or xen"};
  if (format == "xen" && !info.xen)
    return Error{
        Failure::kernel_lacks,
        fmt::format("the kernel of {} (profile {}) has no support for Xen and cannot start there",
                    image.string(), value_of(info.manifest, key::profile, "unknown")),
        "pack the program again with --profile cloud (once before: ukl kernel build --profile cloud)"};
  if (parameters.find_first_of("\r\n") != std::string::npos)
    return Error{Failure::usage, "kernel parameters cannot hold a line break", ""};
  std::error_code error;
  const auto absolute = std::filesystem::canonical(image, error);
  if (error)
    return file_error(image, "read", error.value());
  Machine machine;
  machine.name = value_of(info.manifest, key::hostname, "ukl");
  machine.image = absolute.string();
  machine.parameters = parameters;
  machine.mebibytes = memory >> 20;
  return found->make(std::move(machine));
}

} // namespace ukl
