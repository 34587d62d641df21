// SPDX-License-Identifier: GPL-2.0-only
#include "machine/command.hpp"

#include "machine/type.hpp"
#include "ukl/exec.hpp"
#include "ukl/run_settings.hpp"

#include <algorithm>
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

std::string volume_tag(std::size_t index) {
  return fmt::format("volume{}", index);
}

// What init is told of a volume (include/ukl/manifest.hpp). Linux names virtio disks in the order in which it
// finds them, which is the order on QEMU's command line.
std::string volume_word(const std::vector<Volume>& volumes, std::size_t index) {
  const Volume& volume = volumes[index];
  std::string type = volume.transport == Transport::virtiofs ? "virtiofs" : "9p", source = volume_tag(index);
  if (volume.kind == VolumeKind::disk) {
    char letter = 'a';
    for (std::size_t before = 0; before < index; ++before)
      if (volumes[before].kind == VolumeKind::disk)
        ++letter;
    type = volume.named ? "blk,discard" : "blk";
    source = fmt::format("vd{}", letter);
  }
  if (volume.read_only)
    type += ",ro";
  if (volume.kind == VolumeKind::file)
    type += ",file";
  return fmt::format("{}:{}:{}", type, source, volume.guest);
}

// The translator copies and fills memory one unit at a time: by eight bytes where a processor does not claim
// that single bytes are as fast.
constexpr const char* kTranslatedProcessor = "max,erms=off,fsrm=off";

// Five of ours, number 0 that QEMU keeps for a console, and two for the user's own.
constexpr int kMostPorts = 8;

class CommandBuilder {
public:
  CommandBuilder(const MachineOptions& options, std::vector<std::string>& command)
      : options_(options), command_(command) {}

  void add(std::initializer_list<std::string> words) { command_.insert(command_.end(), words); }

  // microvm has its virtio devices on MMIO slots, the others on PCI. A device without an option ROM starts
  // sooner.
  void add_device(const std::string& device, const std::string& properties = {}, bool has_rom = false) {
    const bool mmio = machine_name(options_) == "microvm";
    add({"-device", fmt::format("{}-{}{}{}{}", device, mmio ? "device" : "pci", properties.empty() ? "" : ",",
                                properties, has_rom && !mmio ? ",romfile=" : "")});
  }

  void add_port(const char* id, const char* name, int descriptor) {
    if (descriptor < 0)
      return;
    add({"-chardev", fmt::format("socket,id={},fd={}", id, descriptor), "-device",
         fmt::format("virtserialport,chardev={},name={}", id, name)});
  }

  // `folder`: the socket of its virtiofsd.
  void add_volume(const Volume& volume, const std::string& tag, int folder) {
    const std::string path = qemu_value(volume.host.string()),
                      read_only = volume.read_only ? ",readonly=on" : "";
    if (volume.kind == VolumeKind::disk) {
      add({"-drive", fmt::format("if=none,id={},format=raw,file={}{}{}", tag, path, read_only,
                                 volume.named ? ",discard=unmap" : "")});
      add_device("virtio-blk", "drive=" + tag);
    } else if (volume.transport == Transport::virtiofs) {
      add({"-chardev", fmt::format("socket,id={},fd={}", tag, folder)});
      add_device("vhost-user-fs", fmt::format("chardev={0},tag={0}", tag));
    } else {
      add({"-fsdev",
           fmt::format("local,id={},path={},security_model=none,multidevs=remap{}", tag, path, read_only)});
      add_device("virtio-9p", fmt::format("fsdev={0},mount_tag={0}", tag));
    }
  }

private:
  const MachineOptions& options_;
  std::vector<std::string>& command_;
};

// virtiofsd reads and writes the machine's memory.
bool shares_memory(const MachineOptions& options) {
  return std::any_of(options.volumes.begin(), options.volumes.end(),
                     [](const Volume& volume) { return volume.transport == Transport::virtiofs; });
}

std::string user_network(const Manifest& manifest, const std::vector<Forward>& forwards) {
  const auto add = [&](const char* property, std::string_view name, bool ipv6) {
    const auto value = address_of(manifest, name, ipv6);
    return value.empty() ? std::string() : fmt::format(",{}={}", property, value);
  };
  const std::string address = address_of(manifest, key::address, false);
  std::string network = "user,id=network";
  network += address.empty() ? ",ipv4=off" : "";
  network += add("net", key::address, false) + add("host", key::gateway, false) + add("dns", key::dns, false);
  network += address_of(manifest, key::address, true).empty() ? ",ipv6=off" : "";
  network += add("ipv6-net", key::address, true) + add("ipv6-host", key::gateway, true) +
             add("ipv6-dns", key::dns, true);
  for (const auto& forward : forwards)
    network += fmt::format(",hostfwd={}:{}:{}-{}:{}", forward.protocol, forward.host_address,
                           forward.host_port, address.substr(0, address.find('/')), forward.guest_port);
  return network;
}

std::string network_of(const Manifest& manifest, const MachineOptions& options) {
  const auto& network = options.network;
  if (network.kind == HostNetwork::Kind::tap)
    return fmt::format("tap,id=network,ifname={},script=no,downscript=no", network.name);
  if (network.kind == HostNetwork::Kind::bridge)
    return "bridge,id=network,br=" + network.name;
  // A machine that goes on gets its forwards when it is this run's.
  const bool goes_on = options.warm.use == MachineOptions::Warm::Use::go_on;
  return user_network(manifest, goes_on ? std::vector<Forward>() : options.forwards);
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

Manifest run_settings(const MachineOptions& options, const Manifest& more) {
  Manifest settings = more;
  const auto add = [&](std::string_view name, std::string value) {
    settings.emplace_back(name, std::move(value));
  };
  if (options.probe)
    add(key::probe, "1");
  if (options.times != MachineOptions::Times::none)
    add(key::times, options.times == MachineOptions::Times::initcalls ? "chart" : "1");
  if (options.cpus > 1)
    add(key::cpus, fmt::format("{}", options.cpus));
  settings.insert(settings.end(), options.settings.begin(), options.settings.end());
  for (std::size_t index = 0; index < options.volumes.size(); ++index)
    add(key::volume, volume_word(options.volumes, index));
  for (const auto& [path, size] : options.memory_folders)
    add(key::volume, fmt::format("tmpfs:{}:{}", size, path));
  if (options.read_only)
    add(key::read_only, "1");
  for (const auto& argument : options.arguments)
    add(key::argument, argument);
  return settings;
}

Result<std::string> kernel_parameters(const MachineOptions& options, const Manifest& settings) {
  std::vector<std::string> words;
  // On a busy host the check may find the timer broken, say so on the console, and make the kernel do without
  // it.
  words.push_back("no_timer_check");
  // Linux would rewrite its locks for the single CPU: worth it on a processor, but each rewritten place costs
  // a translator more than all the locks of most runs do (a quarter of the time until the program starts).
  if (options.accelerator == Accelerator::tcg && options.cpus == 1)
    words.push_back("noreplace-smp");
  for (auto& word : machine_parameters(options))
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

Result<std::vector<std::string>> qemu_command(const MachineOptions& options, const Manifest& image,
                                              const Channels& channels) {
  const Manifest settings = run_settings(options, channels.words);
  const bool in_block = channels.settings >= 0;
  auto parameters = kernel_parameters(options, in_block ? Manifest() : settings);
  if (!parameters)
    return parameters.error();
  Manifest manifest = image;
  add_run_settings(manifest, settings);
  const bool has_network =
      !value_of(manifest, key::address).empty() && options.network.kind != HostNetwork::Kind::none;
  if (options.network.kind != HostNetwork::Kind::user && !options.forwards.empty())
    return Error{Failure::usage, "ports are forwarded to the user network only",
                 "on a tap device or a bridge the program is reached at its own address"};
  if (address_of(manifest, key::address, false).empty() && !options.forwards.empty())
    return Error{
        Failure::usage,
        fmt::format("{} has no IPv4 network: no port can be forwarded to it", options.image.string()),
        "give it an --address"};

  std::vector<std::string> command;
  CommandBuilder builder(options, command);
  const bool kvm = options.accelerator == Accelerator::kvm;
  builder.add({kQemu, "-no-user-config", "-nodefaults", "-no-reboot", "-display", "none"});
  std::string machine = machine_argument(options);
  if (options.warm.use != MachineOptions::Warm::Use::none) {
    const bool keeps = options.warm.use == MachineOptions::Warm::Use::keep;
    builder.add({"-object", fmt::format("memory-backend-file,id=memory,size={}K,share={},mem-path={}",
                                        options.memory >> 10, keeps ? "on" : "off",
                                        qemu_value((options.warm.folder / "memory").string()))});
    machine += ",memory-backend=memory";
    if (!keeps)
      builder.add({"-incoming", "defer"});
  } else if (shares_memory(options)) {
    builder.add(
        {"-object", fmt::format("memory-backend-memfd,id=memory,size={}K,share=on", options.memory >> 10)});
    machine += ",memory-backend=memory";
  }
  builder.add({"-machine", machine, "-accel", kvm ? "kvm" : "tcg,thread=multi", "-cpu",
               kvm ? "host" : kTranslatedProcessor});
  if (const auto bios = firmware(options); !bios.empty())
    builder.add({"-bios", bios});
  builder.add({"-smp", processors_argument(options), "-m", fmt::format("{}K", options.memory >> 10)});
  builder.add({"-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"});
  builder.add_device("virtio-rng");
  if (channels.control >= 0) {
    // Linux sets up two queues for each port that there might be.
    builder.add_device("virtio-serial", fmt::format("max_ports={}", kMostPorts));
    builder.add_port("input", kInputPort, channels.input);
    builder.add_port("output", kOutputPort, channels.output);
    builder.add_port("error", kErrorPort, channels.error);
    builder.add_port("terminal", kTerminalPort, channels.terminal);
    builder.add_port("exec", exec::kPort, channels.exec);
    // The last: once Linux knows it, it knows the others.
    builder.add_port("control", kControlPort, channels.control);
  }
  if (channels.monitor >= 0)
    builder.add({"-chardev", fmt::format("socket,id=monitor,fd={}", channels.monitor), "-mon",
                 "chardev=monitor,mode=control"});
  if (channels.visitors >= 0)
    builder.add({"-chardev", fmt::format("socket,id=visitors,fd={},server=on,wait=off", channels.visitors),
                 "-mon", "chardev=visitors,mode=control"});
  if (has_network) {
    builder.add({"-netdev", network_of(manifest, options)});
    const auto& mac = options.network.mac;
    builder.add_device("virtio-net", "netdev=network" + (mac.empty() ? mac : ",mac=" + mac), true);
  }
  for (std::size_t index = 0; index < options.volumes.size(); ++index)
    builder.add_volume(options.volumes[index], volume_tag(index),
                       index < channels.folders.size() ? channels.folders[index] : -1);
  builder.add({"-kernel", options.image.string()});
  builder.add({"-append", *parameters});
  if (in_block && options.warm.use != MachineOptions::Warm::Use::go_on)
    builder.add({"-initrd", fmt::format("/proc/self/fd/{}", channels.settings)});
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
