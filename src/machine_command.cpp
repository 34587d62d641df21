// SPDX-License-Identifier: GPL-2.0-only
#include "machine_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ukl {
namespace {

// COMMAND_LINE_SIZE of Linux's arch/x86/include/asm/setup.h, less room for the parameters built into the
// kernel.
constexpr std::size_t kLongestParameters = 2048 - 256;

// QEMU's own separator is written twice inside a value.
std::string qemu_value(const std::string& text) {
  std::string escaped;
  for (const char character : text)
    escaped += character == ',' ? std::string(",,") : std::string(1, character);
  return escaped;
}

bool is_folder(const Volume& volume) {
  std::error_code error;
  return std::filesystem::is_directory(volume.host, error);
}

std::string volume_tag(std::size_t index) {
  return fmt::format("volume{}", index);
}

// Linux names virtio disks in the order in which it finds them, which is the order on QEMU's command line.
std::string volume_word(const std::vector<Volume>& volumes, std::size_t index) {
  const Volume& volume = volumes[index];
  if (is_folder(volume))
    return fmt::format("9p:{}:{}", volume_tag(index), volume.guest);
  char letter = 'a';
  for (std::size_t before = 0; before < index; ++before)
    if (!is_folder(volumes[before]))
      ++letter;
  return fmt::format("blk:vd{}:{}", letter, volume.guest);
}

class CommandBuilder {
public:
  CommandBuilder(const MachineOptions& options, std::vector<std::string>& command)
      : options_(options), command_(command) {}

  void add(std::initializer_list<std::string> words) { command_.insert(command_.end(), words); }

  // microvm has its virtio devices on MMIO slots, the others on PCI. A device without an option ROM starts
  // sooner.
  void add_device(const std::string& device, const std::string& properties = {}, bool has_rom = false) {
    const bool mmio = options_.machine == "microvm";
    add({"-device", fmt::format("{}-{}{}{}{}", device, mmio ? "device" : "pci", properties.empty() ? "" : ",",
                                properties, has_rom && !mmio ? ",romfile=" : "")});
  }

  void add_port(const char* id, const char* name, int descriptor) {
    add({"-chardev", fmt::format("socket,id={},fd={}", id, descriptor), "-device",
         fmt::format("virtserialport,chardev={},name={}", id, name)});
  }

private:
  const MachineOptions& options_;
  std::vector<std::string>& command_;
};

std::string network_of(const Manifest& manifest, const std::vector<Forward>& forwards) {
  const std::string address = value_of(manifest, key::address);
  std::string network = fmt::format("user,id=network,ipv6=off,net={}", address);
  if (const auto gateway = value_of(manifest, key::gateway); !gateway.empty())
    network += ",host=" + gateway;
  if (const auto dns = value_of(manifest, key::dns); !dns.empty())
    network += ",dns=" + dns;
  for (const auto& forward : forwards)
    network += fmt::format(",hostfwd={}:{}:{}-{}:{}", forward.protocol, forward.host_address,
                           forward.host_port, address.substr(0, address.find('/')), forward.guest_port);
  return network;
}

} // namespace

std::string percent_encode(std::string_view text) {
  std::string encoded;
  for (const unsigned char character : text) {
    const bool plain =
        (character >= '0' && character <= '9') || (character >= 'A' && character <= 'Z') ||
        (character >= 'a' && character <= 'z') ||
        std::string_view("-._~/:=,").find(static_cast<char>(character)) != std::string_view::npos;
    encoded += plain ? std::string(1, static_cast<char>(character)) : fmt::format("%{:02X}", character);
  }
  return encoded;
}

Result<std::string> kernel_parameters(const MachineOptions& options) {
  std::vector<std::string> words;
  const auto add = [&](std::string_view name, std::string_view value) {
    words.push_back(fmt::format("{}{}={}", kCommandLinePrefix, name, percent_encode(value)));
  };
  // On a busy host the check may find the timer broken, say so on the console, and make the kernel do without
  // it.
  words.push_back("no_timer_check");
  // Linux would rewrite its locks for the single CPU: worth it on a processor, but each rewritten place costs
  // a translator more than all the locks of most runs do (a quarter of the time until the program starts).
  if (options.accelerator == Accelerator::tcg && options.cpus == 1)
    words.push_back("noreplace-smp");
  if (options.trace)
    words.emplace_back(kTraceParameter);
  if (options.probe)
    add(key::probe, "1");
  for (const auto& variable : options.environment)
    add(key::environment, variable);
  for (std::size_t index = 0; index < options.volumes.size(); ++index)
    add(key::volume, volume_word(options.volumes, index));
  for (const auto& argument : options.arguments)
    add(key::argument, argument);
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

Result<std::vector<std::string>> qemu_command(const MachineOptions& options, const Manifest& manifest,
                                              const Channels& channels) {
  auto parameters = kernel_parameters(options);
  if (!parameters)
    return parameters.error();
  const bool has_network = !value_of(manifest, key::address).empty();
  if (!has_network && !options.forwards.empty())
    return Error{
        Failure::usage,
        fmt::format("{} was made without a network: no port can be forwarded to it", options.image.string()),
        "pack it with an --address"};

  std::vector<std::string> command;
  CommandBuilder builder(options, command);
  const bool kvm = options.accelerator == Accelerator::kvm;
  builder.add({kQemu, "-no-user-config", "-nodefaults", "-no-reboot", "-display", "none"});
  // With ACPI, microvm has no timer that Linux could set its clock by, unless KVM provides one.
  const std::string machine = options.machine == "microvm" && !kvm ? "microvm,acpi=off" : options.machine;
  builder.add(
      {"-machine", machine, "-accel", kvm ? "kvm" : "tcg,thread=multi", "-cpu", kvm ? "host" : "max"});
  builder.add({"-smp", fmt::format("{}", options.cpus), "-m", fmt::format("{}K", options.memory >> 10)});
  builder.add({"-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"});
  builder.add_device("virtio-rng");
  if (channels.control >= 0 || channels.input >= 0)
    builder.add_device("virtio-serial");
  if (channels.control >= 0)
    builder.add_port("control", kControlPort, channels.control);
  if (channels.input >= 0)
    builder.add_port("input", kInputPort, channels.input);
  if (has_network) {
    builder.add({"-netdev", network_of(manifest, options.forwards)});
    builder.add_device("virtio-net", "netdev=network", true);
  }
  for (std::size_t index = 0; index < options.volumes.size(); ++index) {
    const Volume& volume = options.volumes[index];
    const std::string path = qemu_value(volume.host.string()), tag = volume_tag(index);
    if (is_folder(volume)) {
      builder.add(
          {"-fsdev", fmt::format("local,id={},path={},security_model=none,multidevs=remap", tag, path)});
      builder.add_device("virtio-9p", fmt::format("fsdev={0},mount_tag={0}", tag));
    } else {
      builder.add({"-drive", fmt::format("if=none,id={},format=raw,file={}", tag, path)});
      builder.add_device("virtio-blk", "drive=" + tag);
    }
  }
  builder.add({"-kernel", options.image.string()});
  builder.add({"-append", *parameters});
  command.insert(command.end(), options.qemu_arguments.begin(), options.qemu_arguments.end());
  return command;
}

std::string shell_line(const std::vector<std::string>& command) {
  std::string line;
  for (const auto& word : command) {
    const bool plain =
        !word.empty() && word.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                                "0123456789-_=./,:+@%") == std::string::npos;
    if (!line.empty())
      line += ' ';
    if (plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char character : word)
      line += character == '\'' ? std::string("'\\''") : std::string(1, character);
    line += '\'';
  }
  return line;
}

} // namespace ukl
