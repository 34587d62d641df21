// SPDX-License-Identifier: GPL-2.0-only
// QEMU: a plan as its command line.
#include "machine/hypervisor.hpp"
#include "machine/qemu_network.hpp"
#include "machine/qemu_type.hpp"
#include "ukl/exec.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ukl {
namespace {

constexpr const char* kProgram = "qemu-system-x86_64";

// QEMU's own separator is written twice inside a value.
std::string qemu_value(const std::string& text) {
  std::string escaped;
  for (const char character : text)
    escaped += character == ',' ? std::string(",,") : std::string(1, character);
  return escaped;
}

// The translator copies and fills memory one unit at a time: by eight bytes where a processor does not claim
// that single bytes are as fast.
constexpr const char* kTranslatedProcessor = "max,erms=off,fsrm=off";

// With a thread for each CPU QEMU 7.2 may run code that Linux has replaced: one that translates a place while
// another one writes there (accel/tcg/translate-all.c, tb_gen_code) keeps what it has read. Linux puts a
// breakpoint there for that moment, and dies of it later. docs/limits.md has what was measured.
constexpr const char* kOneThread = "tcg,thread=single";

// Five of ours, number 0 that QEMU keeps for a console, and two for the user's own.
constexpr int kMostPorts = 8;

using Warm = MachineOptions::Warm;

class CommandBuilder {
public:
  explicit CommandBuilder(const MachinePlan& plan)
      : plan_(plan), options_(plan.options), channels_(plan.channels) {}

  std::vector<std::string> build() {
    add({kProgram, "-no-user-config", "-nodefaults", "-no-reboot", "-display", "none"});
    add_processor_and_memory();
    add({"-chardev", "stdio,id=console,signal=off", "-serial", "chardev:console"});
    add_device("virtio-rng");
    add_ports();
    add_monitors();
    if (has_network(plan_))
      add_card(options_.network, 0);
    for (std::size_t index = 0; index < options_.more_networks.size(); ++index)
      add_card(options_.more_networks[index], index + 1);
    for (std::size_t index = 0; index < options_.volumes.size(); ++index)
      add_volume(options_.volumes[index], volume_tag(index),
                 index < channels_.folders.size() ? channels_.folders[index] : -1);
    add({"-kernel", options_.image.string(), "-append", plan_.parameters});
    if (!plan_.initrd.empty())
      add({"-initrd", plan_.initrd.string()});
    command_.insert(command_.end(), options_.qemu_arguments.begin(), options_.qemu_arguments.end());
    return std::move(command_);
  }

private:
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

  void add_processor_and_memory() {
    const bool kvm = options_.accelerator == Accelerator::kvm;
    const std::string kibibytes = fmt::format("{}K", options_.memory >> 10);
    std::string machine = machine_argument(options_);
    if (options_.warm.use != Warm::Use::none) {
      const bool keeps = options_.warm.use == Warm::Use::keep;
      add({"-object",
           fmt::format("memory-backend-file,id=memory,size={},share={},mem-path={}", kibibytes,
                       keeps ? "on" : "off", qemu_value((options_.warm.folder / "memory").string()))});
      machine += ",memory-backend=memory";
      if (!keeps)
        add({"-incoming", "defer"});
    } else if (shares_memory()) {
      add({"-object", fmt::format("memory-backend-memfd,id=memory,size={},share=on", kibibytes)});
      machine += ",memory-backend=memory";
    }
    add({"-machine", machine, "-cpu", kvm ? "host" : kTranslatedProcessor});
    // The first one counts, so the user's would come too late.
    if (std::ranges::find(options_.qemu_arguments, "-accel") == options_.qemu_arguments.end())
      add({"-accel", kvm ? "kvm" : options_.cpus > 1 ? kOneThread : "tcg"});
    if (const auto bios = firmware(options_); !bios.empty())
      add({"-bios", bios});
    add({"-smp", processors_argument(options_), "-m", kibibytes});
  }

  // virtiofsd reads and writes the machine's memory.
  bool shares_memory() const {
    return std::ranges::any_of(options_.volumes,
                               [](const Volume& volume) { return volume.transport == Transport::virtiofs; });
  }

  void add_ports() {
    if (channels_.control < 0)
      return;
    // Linux sets up two queues for each port that there might be.
    add_device("virtio-serial", fmt::format("max_ports={}", kMostPorts));
    add_port("input", kInputPort, channels_.input);
    add_port("output", kOutputPort, channels_.output);
    add_port("error", kErrorPort, channels_.error);
    add_port("terminal", kTerminalPort, channels_.terminal);
    add_port("exec", exec::kPort, channels_.exec);
    // The last: once Linux knows it, it knows the others.
    add_port("control", kControlPort, channels_.control);
  }

  void add_monitors() {
    if (channels_.monitor >= 0)
      add({"-chardev", fmt::format("socket,id=monitor,fd={}", channels_.monitor), "-mon",
           "chardev=monitor,mode=control"});
    if (channels_.visitors >= 0)
      add({"-chardev", fmt::format("socket,id=visitors,fd={},server=on,wait=off", channels_.visitors), "-mon",
           "chardev=visitors,mode=control"});
  }

  void add_card(const HostNetwork& network, std::size_t card) {
    const std::string id = card == 0 ? "network" : fmt::format("network{}", card);
    add({"-netdev", backend(network, id, card)});
    std::string properties = "netdev=" + id;
    if (!network.mac.empty())
      properties += ",mac=" + network.mac;
    // Two interrupts for each pair, one for the control queue and one for changes.
    if (network.queues > 1)
      properties += machine_name(options_) == "microvm"
                        ? ",mq=on"
                        : fmt::format(",mq=on,vectors={}", 2 * network.queues + 2);
    add_device("virtio-net", properties, true);
  }

  std::string backend(const HostNetwork& network, const std::string& id, std::size_t card) const {
    using Kind = HostNetwork::Kind;
    const auto descriptors = card < channels_.cards.size() ? channels_.cards[card] : std::vector<int>();
    const std::string vhost = network.vhost ? ",vhost=on" : "";
    switch (network.kind) {
    case Kind::passt:
      return fmt::format("stream,id={},server=off,addr.type={}", id,
                         descriptors.empty() ? "unix,addr.path=passt.socket"
                                             : fmt::format("fd,addr.str={}", descriptors[0]));
    case Kind::machines:
      return fmt::format("dgram,id={},local.type=fd,local.str={}", id,
                         descriptors.empty() ? -1 : descriptors[0]);
    case Kind::tap:
      return fmt::format("tap,id={},ifname={},script=no,downscript=no{}{}", id, network.name,
                         network.queues > 1 ? fmt::format(",queues={}", network.queues) : "", vhost);
    case Kind::bridge:
    case Kind::named:
      if (descriptors.empty())
        return fmt::format("bridge,id={},br={}", id, network.bridge());
      return fmt::format("tap,id={},{}={}{}", id, descriptors.size() > 1 ? "fds" : "fd",
                         fmt::join(descriptors, ":"), vhost);
    default:
      break;
    }
    // A machine that goes on gets its forwards when it is this run's.
    const bool goes_on = options_.warm.use == Warm::Use::go_on;
    return qemu_user_network(id, card_settings(options_, plan_.manifest, card),
                             card > 0 || goes_on ? std::vector<Forward>() : options_.forwards);
  }

  const MachinePlan& plan_;
  const MachineOptions& options_;
  const Channels& channels_;
  std::vector<std::string> command_;
};

std::vector<std::string> command(const MachinePlan& plan) {
  return CommandBuilder(plan).build();
}

} // namespace

const Hypervisor& qemu() {
  static constexpr Hypervisor kHypervisor = {.name = "qemu",
                                             .program = kProgram,
                                             .package = "qemu-system-x86",
                                             .usual_machine = usual_machine,
                                             .check = check_machine,
                                             .parameters = machine_parameters,
                                             .command = command,
                                             .file = nullptr,
                                             .has_ports = true,
                                             .disks = "vd"};
  return kHypervisor;
}

} // namespace ukl
