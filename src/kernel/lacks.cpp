// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/lacks.hpp"
#include "support/files.hpp"
#include "target/syscall_names.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace ukl {
namespace {

constexpr KernelFeature kFeatures[] = {
    {"cpus", "CONFIG_SMP", "several CPUs"},
    {"pci", "CONFIG_VIRTIO_PCI", "devices on PCI, which all machine types but microvm have"},
    {"acpi", "CONFIG_ACPI", "ACPI"},
    {"disks", "CONFIG_VIRTIO_BLK", "disks"},
    {"folders", "CONFIG_9P_FS", "folders of this machine"},
    {"network", "CONFIG_INET", "a network"},
    {"ipv6", "CONFIG_IPV6", "IPv6 addresses"},
};

// Calls `use` with each line, without its end.
template <typename Use> void for_each_line(std::string_view text, const Use& use) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    use(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

} // namespace

std::span<const KernelFeature> kernel_features() {
  return kFeatures;
}

std::string_view feature_meaning(std::string_view word) {
  const auto* found = std::ranges::find(kFeatures, word, &KernelFeature::word);
  return found == std::end(kFeatures) ? word : found->meaning;
}

std::vector<std::string> needed_features(const Manifest& settings) {
  std::vector<std::string> words;
  const auto add = [&](std::string_view word) {
    if (std::ranges::find(words, word) == words.end())
      words.emplace_back(word);
  };
  if (value_of(settings, key::cpus, "1") != "1")
    add("cpus");
  for (const auto& volume : values_of(settings, key::volume))
    if (volume.starts_with("blk"))
      add("disks");
    else if (!volume.starts_with("tmpfs"))
      add("folders");
  if (!value_of(settings, key::address).empty())
    add("network");
  if (!address_of(settings, key::address, true).empty())
    add("ipv6");
  return words;
}

std::vector<std::string> lacking_features(std::string_view config) {
  std::set<std::string_view> on;
  for_each_line(config, [&](std::string_view line) {
    if (line.ends_with("=y"))
      on.insert(line.substr(0, line.size() - 2));
  });
  std::vector<std::string> lacking;
  for (const auto& feature : kFeatures)
    if (!on.contains(feature.setting))
      lacking.emplace_back(feature.word);
  return lacking;
}

std::set<std::uint32_t> lacking_calls(std::string_view system_map) {
  // ADDRESS W __x64_sys_NAME
  constexpr std::string_view kWeak = " W __x64_sys_";
  std::set<std::uint32_t> calls;
  for_each_line(system_map, [&](std::string_view line) {
    const auto at = line.find(kWeak);
    if (at == std::string_view::npos)
      return;
    if (const auto number = syscall_number(line.substr(at + kWeak.size())))
      calls.insert(*number);
  });
  return calls;
}

Result<KernelLacks> kernel_lacks(const Kernel& kernel) {
  KernelLacks lacks;
  if (kernel.config.empty())
    return lacks;
  TRY_LET(const auto config, read_text(kernel.config));
  TRY_LET(const auto map, read_text(kernel.system_map));
  lacks.features = lacking_features(config);
  lacks.calls = lacking_calls(map);
  return lacks;
}

} // namespace ukl
