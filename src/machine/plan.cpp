// SPDX-License-Identifier: GPL-2.0-only
#include "machine/plan.hpp"

#include "machine/hypervisor.hpp"
#include "machine/named_networks.hpp"
#include "machine/qemu_network.hpp"
#include "support/text.hpp"
#include "ukl/run_settings.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ukl {
namespace {

// COMMAND_LINE_SIZE of Linux's arch/x86/include/asm/setup.h, less room for the parameters built into the
// kernel.
constexpr std::size_t kLongestParameters = 2048 - 256;

// What init is told of a volume (include/ukl/manifest.hpp). Linux names virtio disks in the order in which it
// finds them, which is the order on QEMU's command line.
std::string volume_word(const MachineOptions& options, std::size_t index) {
  const auto& volumes = options.volumes;
  const Volume& volume = volumes[index];
  std::string type = volume.transport == Transport::virtiofs ? "virtiofs" : "9p", source = volume_tag(index);
  if (volume.kind == VolumeKind::disk) {
    char letter = 'a';
    for (std::size_t before = 0; before < index; ++before)
      if (volumes[before].kind == VolumeKind::disk)
        ++letter;
    type = volume.named ? "blk,discard" : "blk";
    source = fmt::format("{}{}", options.disks, letter);
  }
  if (volume.read_only)
    type += ",ro";
  if (volume.kind == VolumeKind::file)
    type += ",file";
  return fmt::format("{}:{}:{}", type, source, volume.guest);
}

} // namespace

std::string volume_tag(std::size_t index) {
  return fmt::format("volume{}", index);
}

std::string percent_encode(std::string_view text) {
  return percent_encoded(text, "/:=,");
}

Manifest run_settings(const MachineOptions& options, const Manifest& more) {
  Manifest settings = more;
  const auto add = [&](std::string_view name, std::string value) {
    settings.emplace_back(name, std::move(value));
  };
  if (options.probe)
    add(key::probe, "1");
  if (options.times != MachineOptions::Times::none)
    add(key::times, options.times == MachineOptions::Times::initcalls ? "chart" : "1");
  if (options.find_files)
    add(key::find_files, "1");
  if (options.cpus > 1)
    add(key::cpus, fmt::format("{}", options.cpus));
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  for (std::size_t index = 0; index < options.volumes.size(); ++index)
    add(key::volume, volume_word(options, index));
  for (const auto& [path, size] : options.memory_folders)
    add(key::volume, fmt::format("tmpfs:{}:{}", size, path));
  for (const auto& card : options.more_networks)
    add(key::card, fmt::format("{},{}", card.mac, fmt::join(card.addresses, ",")));
  if (options.read_only)
    add(key::read_only, "1");
  for (const auto& argument : options.arguments)
    add(key::argument, argument);
  return settings;
}

Result<std::string> kernel_parameters(const Hypervisor& hypervisor, const MachineOptions& options,
                                      const Manifest& settings) {
  std::vector<std::string> words;
  // On a busy host the check may find the timer broken, say so on the console, and make the kernel do without
  // it.
  words.push_back("no_timer_check");
  // Linux would rewrite its locks for the single CPU: worth it on a processor, but each rewritten place costs
  // a translator more than all the locks of most runs do (a quarter of the time until the program starts).
  if (options.accelerator == Accelerator::tcg && options.cpus == 1)
    words.push_back("noreplace-smp");
  for (auto& word : hypervisor.parameters(options))
    words.push_back(std::move(word));
  if (options.root == RootType::ramfs)
    words.push_back("rootfstype=ramfs");
  if (options.trace)
    words.emplace_back(kTraceParameter);
  // Only into the log, with room for two lines of each; the console stays quiet.
  if (options.times == MachineOptions::Times::initcalls)
    words.emplace_back("initcall_debug log_buf_len=1M");
  for (const auto& [name, value] : settings) {
    if (name == key::file || name == key::secret)
      return Error{Failure::usage, "a kernel's command line cannot carry --config and --secret",
                   "leave them out of --dry-run; an image with a kernel that cannot be moved takes none"};
    words.push_back(fmt::format("{}{}={}", kCommandLinePrefix, name, percent_encode(value)));
  }
  if (!options.append.empty())
    words.push_back(options.append);
  std::string parameters = fmt::format("{}", fmt::join(words, " "));
  if (parameters.size() > kLongestParameters)
    return Error{
        Failure::usage,
        fmt::format("arguments and environment take {} bytes on the kernel's command line, of at most {}",
                    parameters.size(), kLongestParameters),
        "put them into the image: ukl pack … --env NAME=VALUE -- ARGUMENTS"};
  return parameters;
}

Result<MachinePlan> plan_machine(const Hypervisor& hypervisor, const MachineOptions& options,
                                 const Manifest& image, const Channels& channels) {
  const Manifest settings = run_settings(options, channels.words);
  MachinePlan plan{options, image, {}, {}, channels};
  add_run_settings(plan.manifest, settings);
  const bool in_block = channels.settings >= 0;
  TRY_LET(plan.parameters, kernel_parameters(hypervisor, options, in_block ? Manifest() : settings));
  TRY(check_forwards(options, plan.manifest));
  for (std::size_t card = 0; card <= options.more_networks.size(); ++card) {
    const auto& network = card == 0 ? options.network : options.more_networks[card - 1];
    if (network.kind == HostNetwork::Kind::user)
      TRY(check_user_network(card_settings(options, plan.manifest, card)));
  }
  // A machine that goes on has had its block.
  if (in_block && options.warm.use != MachineOptions::Warm::Use::go_on)
    plan.initrd = fmt::format("/proc/self/fd/{}", channels.settings);
  return plan;
}

Result<std::vector<std::string>> machine_command(const Hypervisor& hypervisor, const MachineOptions& options,
                                                 const Manifest& image, const Channels& channels) {
  TRY_LET(const auto plan, plan_machine(hypervisor, options, image, channels));
  return hypervisor.command(plan);
}

// Ports lead from the host's own addresses to a network that QEMU or passt makes: QEMU's in IPv4, passt's in
// that of the host's address.
Result<void> check_forwards(const MachineOptions& options, const Manifest& manifest) {
  const bool passt = options.network.kind == HostNetwork::Kind::passt;
  if (!options.forwards.empty() && !passt && options.network.kind != HostNetwork::Kind::user)
    return Error{
        Failure::usage, "ports are forwarded to the networks user and passt only",
        "on a tap device or a bridge the program is reached at its own address; or write --network user "
        "first, for another card"};
  for (const auto& forward : options.forwards) {
    const bool ipv6 = passt && forward.ipv6();
    if (address_of(manifest, key::address, ipv6).empty())
      return Error{Failure::usage,
                   fmt::format("{} has no {} network: no port can be forwarded to it{}",
                               options.image.string(), ipv6 ? "IPv6" : "IPv4",
                               ipv6 ? fmt::format(" from {}", forward.host()) : ""),
                   "give it an --address"};
    if (!passt && forward.ipv6() && forward.protocol == "udp")
      return Error{Failure::usage,
                   fmt::format("QEMU's user network takes no UDP on an IPv6 address: {}", forward.host()),
                   "take --network passt"};
  }
  return {};
}

bool has_network(const MachinePlan& plan) {
  return !value_of(plan.manifest, key::address).empty() &&
         plan.options.network.kind != HostNetwork::Kind::none;
}

Manifest card_settings(const MachineOptions& options, const Manifest& settings, std::size_t card) {
  Manifest own;
  if (card == 0) {
    // A name server on the network of another card is not this one's.
    const auto is_lent = [&](const std::string& server) {
      return std::ranges::any_of(options.leases, [&](const auto& lease) { return lease->dns() == server; });
    };
    for (const auto& record : settings)
      if (record.first == key::address || record.first == key::gateway ||
          (record.first == key::dns && !is_lent(record.second)))
        own.push_back(record);
  } else {
    for (const auto& address : options.more_networks[card - 1].addresses)
      own.emplace_back(key::address, address);
  }
  return own;
}

} // namespace ukl
