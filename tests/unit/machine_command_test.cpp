// SPDX-License-Identifier: GPL-2.0-only
#include "machine/hypervisor.hpp"
#include "machine/qemu_type.hpp"
#include "support/text.hpp"

#include "../../init/command_line.hpp"
#include "ukl/run_settings.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

const Manifest kNetwork = {{"address", "10.0.2.15/24"}, {"gateway", "10.0.2.2"}, {"dns", "10.0.2.3"}};

MachineOptions options_for(const std::string& image) {
  MachineOptions options;
  options.image = image;
  options.accelerator = Accelerator::tcg;
  return options;
}

// What stands behind an option on the command line, each time that it is given.
std::vector<std::string> behind(const std::vector<std::string>& command, const std::string& option) {
  std::vector<std::string> values;
  for (std::size_t i = 0; i + 1 < command.size(); ++i)
    if (command[i] == option)
      values.push_back(command[i + 1]);
  return values;
}

std::vector<std::string> command_for(const MachineOptions& options, const Manifest& manifest = kNetwork,
                                     const Channels& channels = {}) {
  auto command = machine_command(qemu(), options, manifest, channels);
  EXPECT_TRUE(command) << (command ? "" : command.error().message);
  return command ? *command : std::vector<std::string>();
}

TEST(QemuCommand, BootsTheImageItself) {
  MachineOptions options = options_for("a.ukl");
  options.memory = 64ull << 20;
  options.cpus = 4;
  const auto command = command_for(options);
  EXPECT_EQ(command[0], std::string(qemu().program));
  EXPECT_THAT(behind(command, "-kernel"), ElementsAre("a.ukl"));
  EXPECT_THAT(behind(command, "-m"), ElementsAre("65536K"));
  EXPECT_THAT(behind(command, "-smp"), ElementsAre(processors_argument(options)));
  EXPECT_THAT(behind(command, "-machine"), ElementsAre(machine_argument(options)));
  EXPECT_THAT(command, Contains("-no-reboot"));
  EXPECT_THAT(command, Contains("-nodefaults"));
}

TEST(QemuCommand, ChoosesTheProcessorByTheAccelerator) {
  MachineOptions options = options_for("a.ukl");
  EXPECT_THAT(behind(command_for(options), "-cpu"), ElementsAre("max,erms=off,fsrm=off"));
  EXPECT_THAT(behind(command_for(options), "-accel"), ElementsAre("tcg"));
  options.cpus = 2;
  EXPECT_THAT(behind(command_for(options), "-accel"), ElementsAre("tcg,thread=single"));
  options.qemu_arguments = {"-accel", "tcg,thread=multi"};
  EXPECT_THAT(behind(command_for(options), "-accel"), ElementsAre("tcg,thread=multi"));
  options.qemu_arguments = {};
  options.accelerator = Accelerator::kvm;
  EXPECT_THAT(behind(command_for(options), "-cpu"), ElementsAre("host"));
  EXPECT_THAT(behind(command_for(options), "-accel"), ElementsAre("kvm"));
}

TEST(QemuCommand, ForwardsPortsToTheImagesAddress) {
  MachineOptions options = options_for("a.ukl");
  options.forwards = {*parse_forward("8080:80"), *parse_forward("0.0.0.0:53:5353/udp")};
  const Manifest manifest = {{"address", "192.168.7.9/16"}, {"gateway", "192.168.0.1"}};
  EXPECT_THAT(
      behind(command_for(options, manifest), "-netdev"),
      ElementsAre("user,id=network,net=192.168.7.9/16,host=192.168.0.1,ipv6=off,"
                  "hostfwd=tcp:127.0.0.1:8080-192.168.7.9:80,hostfwd=udp:0.0.0.0:53-192.168.7.9:5353"));
}

TEST(QemuCommand, LeavesPortsOfIpv6ToUs) {
  MachineOptions options = options_for("a.ukl");
  options.forwards = {*parse_forward("[::1]:8080:80"), *parse_forward("8081:80")};
  EXPECT_THAT(behind(command_for(options), "-netdev").at(0),
              testing::EndsWith("hostfwd=tcp:127.0.0.1:8081-10.0.2.15:80"));
  EXPECT_THAT(behind(command_for(options), "-netdev").at(0), Not(HasSubstr("8080")));
  options.forwards = {*parse_forward("[::1]:53:53/udp")};
  EXPECT_THAT(machine_command(qemu(), options, kNetwork, {}).error().hint, HasSubstr("passt"));
}

TEST(QemuCommand, HasACardForEachNetwork) {
  MachineOptions options = options_for("a.ukl");
  options.network = {HostNetwork::Kind::passt, "", ""};
  options.more_networks = {
      {HostNetwork::Kind::tap, "tap1", "52:54:00:00:00:01", {"10.1.0.2/24"}, 2, true},
      {HostNetwork::Kind::user, "", "52:54:00:00:00:02", {"10.0.4.15/24"}},
      {HostNetwork::Kind::named, "web", "52:54:00:00:00:03", {"10.77.0.9/24"}},
      {HostNetwork::Kind::bridge, "br0", "52:54:00:00:00:04", {"10.2.0.2/24", "fd00::2/64"}}};
  Channels channels;
  channels.cards = {{9}, {}, {}, {10, 11}};
  const auto command = command_for(options, kNetwork, channels);
  EXPECT_THAT(behind(command, "-netdev"),
              ElementsAre("stream,id=network,server=off,addr.type=fd,addr.str=9",
                          "tap,id=network1,ifname=tap1,script=no,downscript=no,queues=2,vhost=on",
                          "user,id=network2,net=10.0.4.15/24,ipv6=off", "tap,id=network3,fds=10:11",
                          "bridge,id=network4,br=br0"));
  const auto devices = behind(command, "-device");
  EXPECT_THAT(devices, Contains("virtio-net-pci,netdev=network,romfile="));
  EXPECT_THAT(devices,
              Contains("virtio-net-pci,netdev=network1,mac=52:54:00:00:00:01,mq=on,vectors=6,romfile="));
  // init finds them by that, whatever their order is.
  EXPECT_THAT(behind(command, "-append").at(0),
              HasSubstr("ukl.card=52:54:00:00:00:04,10.2.0.2/24,fd00::2/64"));
}

TEST(QemuCommand, ForwardsPortsToNetworksThatHaveThem) {
  MachineOptions options = options_for("a.ukl");
  options.forwards = {*parse_forward("[::1]:8080:80")};
  options.network = {HostNetwork::Kind::passt, "", ""};
  EXPECT_THAT(machine_command(qemu(), options, kNetwork, {}).error().message, HasSubstr("no IPv6 network"));
  options.network = {HostNetwork::Kind::tap, "tap0", ""};
  EXPECT_THAT(machine_command(qemu(), options, kNetwork, {}).error().message, HasSubstr("user and passt"));
}

TEST(QemuCommand, HasNoNetworkWhereTheImageHasNone) {
  MachineOptions options = options_for("a.ukl");
  EXPECT_TRUE(behind(command_for(options, {}), "-netdev").empty());
  options.forwards = {*parse_forward("8080:80")};
  const auto command = machine_command(qemu(), options, {}, {});
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().failure, Failure::usage);
  EXPECT_THAT(command.error().message, HasSubstr("a.ukl"));
}

TEST(QemuCommand, PassesTheChannelsOn) {
  Channels channels;
  channels.control = 7;
  channels.input = 9;
  channels.error = 11;
  channels.words = {{"streams", "pipe,null,pipe"}};
  const auto command = command_for(options_for("a.ukl"), kNetwork, channels);
  EXPECT_THAT(behind(command, "-chardev"), Contains("socket,id=control,fd=7"));
  EXPECT_THAT(behind(command, "-chardev"), Contains("socket,id=input,fd=9"));
  EXPECT_THAT(behind(command, "-chardev"), Not(Contains(HasSubstr("id=output"))));
  const auto devices = behind(command, "-device");
  for (const auto& [id, name] :
       {std::pair("control", kControlPort), {"input", kInputPort}, {"error", kErrorPort}})
    EXPECT_THAT(devices, Contains(fmt::format("virtserialport,chardev={},name={}", id, name)));
  // init relies on it.
  EXPECT_THAT(command,
              testing::Contains(fmt::format("virtserialport,chardev=control,name={}", kControlPort)));
  std::vector<std::string> ports;
  for (const auto& device : devices)
    if (device.starts_with("virtserialport"))
      ports.push_back(device);
  EXPECT_THAT(ports.back(), HasSubstr("chardev=control"));
  EXPECT_THAT(behind(command, "-append").at(0), HasSubstr("ukl.streams=pipe,null,pipe"));
  EXPECT_THAT(behind(command_for(options_for("a.ukl")), "-device"),
              Not(Contains(HasSubstr("virtio-serial"))));
}

TEST(QemuCommand, UsesMmioDevicesOnMicrovm) {
  MachineOptions options = options_for("a.ukl");
  EXPECT_THAT(behind(command_for(options), "-device"), Contains("virtio-net-pci,netdev=network,romfile="));
  options.machine = "microvm";
  EXPECT_THAT(behind(command_for(options), "-device"), Contains("virtio-net-device,netdev=network"));
}

TEST(QemuCommand, LeavesLocksAloneWhereRewritingThemCostsMore) {
  MachineOptions options = options_for("a.ukl");
  EXPECT_THAT(behind(command_for(options), "-append").at(0), HasSubstr("noreplace-smp"));
  options.cpus = 2;
  EXPECT_THAT(behind(command_for(options), "-append").at(0), Not(HasSubstr("noreplace-smp")));
  options.cpus = 1;
  options.accelerator = Accelerator::kvm;
  EXPECT_THAT(behind(command_for(options), "-append").at(0), Not(HasSubstr("noreplace-smp")));
}

TEST(QemuCommand, AttachesFoldersAndDisksInOrder) {
  MachineOptions options = options_for("a.ukl");
  options.volumes = {{"/h/one", "/1", VolumeKind::disk},
                     {"/h/a,b", "/shared", VolumeKind::folder, Transport::ninep},
                     {"/h/two", "/2", VolumeKind::disk, Transport::automatic, true}};
  const auto command = command_for(options);
  EXPECT_THAT(behind(command, "-fsdev"),
              ElementsAre("local,id=volume1,path=/h/a,,b,security_model=none,multidevs=remap"));
  EXPECT_THAT(behind(command, "-drive"),
              ElementsAre("if=none,id=volume0,format=raw,file=/h/one",
                          "if=none,id=volume2,format=raw,file=/h/two,readonly=on"));
  const auto parameters = behind(command, "-append").at(0);
  EXPECT_THAT(parameters,
              HasSubstr("ukl.volume=blk:vda:/1 ukl.volume=9p:volume1:/shared ukl.volume=blk,ro:vdb:/2"));
  EXPECT_THAT(command, Not(Contains(HasSubstr("memory-backend"))));
}

TEST(QemuCommand, SharesMemoryWithTheDaemonsOfFoldersOnly) {
  MachineOptions options = options_for("a.ukl");
  options.memory = 64ull << 20;
  options.volumes = {{"/h/folder", "/1", VolumeKind::folder, Transport::virtiofs, true},
                     {"/h/file", "/etc/file", VolumeKind::file, Transport::virtiofs}};
  Channels channels;
  channels.folders = {7, 8};
  const auto command = command_for(options, kNetwork, channels);
  EXPECT_THAT(behind(command, "-object"), ElementsAre("memory-backend-memfd,id=memory,size=65536K,share=on"));
  EXPECT_THAT(behind(command, "-machine"), ElementsAre(HasSubstr(",memory-backend=memory")));
  EXPECT_THAT(behind(command, "-chardev"), Contains("socket,id=volume1,fd=8"));
  EXPECT_THAT(behind(command, "-device"), Contains("vhost-user-fs-pci,chardev=volume0,tag=volume0"));
  EXPECT_THAT(behind(command, "-append").at(0),
              HasSubstr("ukl.volume=virtiofs,ro:volume0:/1 ukl.volume=virtiofs,file:volume1:/etc/file"));
}

// Of a container image: Entrypoint stays, Cmd is replaced, and another program takes the place of both.
TEST(RunSettings, ReplaceWhatStandsBehindTheEntry) {
  const auto words = [](const std::string& entry, const Manifest& run) {
    Manifest manifest = {{"arg", "/entry"}, {"arg", "-x"}, {"arg", "cmd"}};
    if (!entry.empty())
      manifest.emplace_back("entry", entry);
    add_run_settings(manifest, run);
    return values_of(manifest, "arg");
  };
  const Manifest run = {{"arg", "mine"}, {"arg", "too"}};
  EXPECT_THAT(words("2", run), ElementsAre("/entry", "-x", "mine", "too"));
  EXPECT_THAT(words("0", run), ElementsAre("mine", "too"));
  EXPECT_THAT(words("", run), ElementsAre("/entry", "mine", "too"));
  EXPECT_THAT(words("2", {}), ElementsAre("/entry", "-x", "cmd"));
  EXPECT_THAT(words("2", {{"entry", "0"}, {"arg", "/other"}}), ElementsAre("/other"));
}

TEST(QemuCommand, EndsWithTheUsersOwnArguments) {
  MachineOptions options = options_for("a.ukl");
  options.qemu_arguments = {"-device", "virtio-balloon-pci"};
  options.append = "ignore_loglevel nokaslr";
  const auto command = command_for(options);
  EXPECT_EQ(command[command.size() - 2], "-device");
  EXPECT_EQ(command.back(), "virtio-balloon-pci");
  EXPECT_TRUE(behind(command, "-append").at(0).ends_with(" ignore_loglevel nokaslr"));
}

MachineOptions with_odd_texts() {
  MachineOptions options = options_for("a.ukl");
  options.arguments = {"--name=a b", "100%", "\"quoted\"", "", "tab\there", "\xc3\xa9", "%41"};
  options.settings = {
      {"env", "GREETING=hello, $world"}, {"env", "EMPTY="}, {"dns", "fd00::3"}, {"gateway", ""}};
  return options;
}

void expect_odd_texts(const Manifest& run) {
  Manifest manifest = {{"arg", "/bin/app"}, {"arg", "old"},          {"env", "KEPT=1"},
                       {"dns", "10.0.2.3"}, {"gateway", "10.0.2.2"}, {"limit", "nofile:1:1"}};
  add_run_settings(manifest, run);
  std::vector<std::string> arguments = {"/bin/app"};
  const auto options = with_odd_texts();
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  EXPECT_EQ(values_of(manifest, key::argument), arguments);
  EXPECT_THAT(values_of(manifest, key::environment),
              ElementsAre("KEPT=1", "GREETING=hello, $world", "EMPTY="));
  EXPECT_THAT(values_of(manifest, key::dns), ElementsAre("fd00::3"));
  EXPECT_THAT(values_of(manifest, key::gateway), ElementsAre());
  EXPECT_THAT(values_of(manifest, key::limit), ElementsAre("nofile:1:1"));
}

TEST(RunSettings, ComeOutOfABlockAsTheyWentIn) {
  auto options = with_odd_texts();
  auto settings = run_settings(options);
  settings.emplace_back(key::file, std::string("600 /etc/f\0a\0b=c", 15));
  const auto block = encode_run_settings(settings);
  RunSettingsHeader header;
  ASSERT_GE(block.size(), sizeof header);
  std::memcpy(&header, block.data(), sizeof header);
  EXPECT_EQ(header.magic, kRunSettingsMagic);
  EXPECT_EQ(header.type, kRunSettingsType);
  const std::string_view records = std::string_view(block).substr(sizeof header);
  EXPECT_EQ(header.size, records.size());
  const auto decoded = decode_run_settings(records);
  ASSERT_TRUE(decoded);
  EXPECT_EQ(*decoded, settings);
  expect_odd_texts(*decoded);
  for (std::size_t cut = 1; cut < 12; ++cut)
    EXPECT_FALSE(decode_run_settings(records.substr(0, records.size() - cut))) << cut;
}

TEST(RunSettings, GoAsAnInitialRamdiskWhereTheImageTakesThem) {
  Channels channels;
  channels.settings = 9;
  const auto command = command_for(with_odd_texts(), kNetwork, channels);
  EXPECT_THAT(behind(command, "-initrd"), ElementsAre("/proc/self/fd/9"));
  EXPECT_THAT(behind(command, "-append").at(0), Not(HasSubstr("ukl.")));
}

TEST(RunSettings, ChooseTheNetworkTogetherWithTheImages) {
  MachineOptions options = options_for("a.ukl");
  options.settings = {
      {"address", "10.9.0.4/24"}, {"address", "fd00::4/64"}, {"gateway", "10.9.0.2"}, {"dns", "fd00::3"}};
  options.forwards = {*parse_forward("8080:80")};
  EXPECT_THAT(
      behind(command_for(options, kNetwork), "-netdev"),
      ElementsAre("user,id=network,net=10.9.0.4/24,host=10.9.0.2,ipv6-net=fd00::4/64,ipv6-dns=fd00::3,"
                  "hostfwd=tcp:127.0.0.1:8080-10.9.0.4:80"));
  options.settings = {{"address", ""}};
  options.forwards.clear();
  EXPECT_TRUE(behind(command_for(options, kNetwork), "-netdev").empty());
}

TEST(KernelParameters, ComeOutOfInitAsTheyWentIn) {
  const auto options = with_odd_texts();
  const auto parameters = kernel_parameters(qemu(), options, run_settings(options));
  ASSERT_TRUE(parameters);
  expect_odd_texts(init::command_line_words(*parameters + "\n"));
}

TEST(KernelParameters, RefuseWhatLinuxWouldCutOff) {
  MachineOptions options = options_for("a.ukl");
  options.arguments = {std::string(2000, 'x')};
  const auto parameters = kernel_parameters(qemu(), options, run_settings(options));
  ASSERT_FALSE(parameters);
  EXPECT_EQ(parameters.error().failure, Failure::usage);
  EXPECT_THAT(parameters.error().hint, HasSubstr("ukl pack"));
}

TEST(KernelParameters, CarryNoSecret) {
  const MachineOptions options = options_for("a.ukl");
  const auto parameters = kernel_parameters(qemu(), options, {{"secret", std::string("key\0hidden", 10)}});
  ASSERT_FALSE(parameters);
  EXPECT_THAT(parameters.error().message + parameters.error().hint, Not(HasSubstr("hidden")));
}

TEST(ShellLine, QuotesWhatAShellWouldTakeApart) {
  EXPECT_EQ(shell_line({"qemu", "a b", "it's", "", "x=1,y"}), "qemu 'a b' 'it'\\''s' '' x=1,y");
}

TEST(QemuCommand, HasAMonitorForVisitors) {
  Channels channels;
  channels.visitors = 17;
  EXPECT_THAT(command_for(options_for("a.ukl"), kNetwork, channels),
              Contains("socket,id=visitors,fd=17,server=on,wait=off"));
  EXPECT_THAT(command_for(options_for("a.ukl")), Not(Contains(HasSubstr("visitors"))));
}

} // namespace
} // namespace ukl
