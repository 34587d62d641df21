// SPDX-License-Identifier: GPL-2.0-only
#include "machine/hypervisor_files.hpp"
#include "support/text.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

struct Machine {
  std::string image, name, parameters;
  std::uint64_t mebibytes = 0;
};

HypervisorFile firecracker(const Machine& machine) {
  // No ACPI before 1.8, and no S5 after it: a reset is what ends a machine there.
  const nlohmann::ordered_json config = {
      {"boot-source",
       {{"kernel_image_path", machine.image},
        {"boot_args", "console=ttyS0 reboot=k panic=1 pci=off " + machine.parameters}}},
      {"drives", nlohmann::json::array()},
      {"machine-config", {{"vcpu_count", 1}, {"mem_size_mib", machine.mebibytes}}}};
  return {config.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n",
          [](const std::string& path) { return "firecracker --no-api --config-file " + shell_line({path}); }};
}

HypervisorFile cloud_hypervisor(const Machine& machine) {
  return {fmt::format(
              "#!/bin/sh\nexec cloud-hypervisor --kernel {} --cmdline {} --cpus boot=1 --memory size={}M \\\n"
              "  --serial tty --console off \"$@\"\n",
              shell_line({machine.image}), shell_line({"console=ttyS0 " + machine.parameters}),
              machine.mebibytes),
          [](const std::string& path) { return "sh " + shell_line({path}); }};
}

HypervisorFile libvirt(const Machine& machine) {
  return {fmt::format("<domain type='kvm'>\n"
                      "  <name>{}</name>\n"
                      "  <memory unit='MiB'>{}</memory>\n"
                      "  <vcpu>1</vcpu>\n"
                      "  <os>\n"
                      "    <type arch='x86_64' machine='q35'>hvm</type>\n"
                      "    <kernel>{}</kernel>\n"
                      "    <cmdline>{}</cmdline>\n"
                      "  </os>\n"
                      "  <features><acpi/></features>\n"
                      "  <cpu mode='host-passthrough'/>\n"
                      "  <on_reboot>destroy</on_reboot>\n"
                      "  <on_crash>destroy</on_crash>\n"
                      "  <devices>\n"
                      "    <interface type='user'><model type='virtio'/></interface>\n"
                      "    <rng model='virtio'><backend model='random'>/dev/urandom</backend></rng>\n"
                      "    <serial type='pty'/>\n"
                      "    <console type='pty'/>\n"
                      "  </devices>\n"
                      "</domain>\n",
                      xml_escaped(machine.name), machine.mebibytes, xml_escaped(machine.image),
                      xml_escaped("console=ttyS0 " + machine.parameters)),
          [name = machine.name](const std::string& path) {
            return fmt::format("virsh define {} && virsh start {}", shell_line({path}), shell_line({name}));
          }};
}

struct Format {
  const char *name, *ending;
  HypervisorFile (*make)(const Machine&);
};
constexpr std::array kFormats = {Format{"firecracker", "json", firecracker},
                                 Format{"cloud-hypervisor", "sh", cloud_hypervisor},
                                 Format{"libvirt", "xml", libvirt}};

const Format* find(const std::string& name) {
  const auto* const found =
      std::ranges::find_if(kFormats, [&](const Format& format) { return name == format.name; });
  return found == kFormats.end() ? nullptr : found;
}

} // namespace

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
                 "firecracker, cloud-hypervisor or libvirt"};
  std::error_code error;
  const auto absolute = std::filesystem::canonical(image, error);
  if (error)
    return file_error(image, "read", error.value());
  return found->make(
      {absolute.string(), value_of(info.manifest, key::hostname, "ukl"), parameters, memory >> 20});
}

} // namespace ukl
