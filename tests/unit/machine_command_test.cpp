// SPDX-License-Identifier: GPL-2.0-only
#include "machine_command.hpp"
#include "support/files.hpp"

#include "../../init/command_line.hpp"

#include <algorithm>
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
  auto command = qemu_command(options, manifest, channels);
  EXPECT_TRUE(command) << (command ? "" : command.error().message);
  return command ? *command : std::vector<std::string>();
}

TEST(QemuCommand, BootsTheImageItself) {
  MachineOptions options = options_for("a.ukl");
  options.memory = 64ull << 20;
  options.cpus = 4;
  const auto command = command_for(options);
  EXPECT_EQ(command[0], kQemu);
  EXPECT_THAT(behind(command, "-kernel"), ElementsAre("a.ukl"));
  EXPECT_THAT(behind(command, "-m"), ElementsAre("65536K"));
  EXPECT_THAT(behind(command, "-smp"), ElementsAre("4"));
  EXPECT_THAT(behind(command, "-machine"), ElementsAre("q35"));
  EXPECT_THAT(command, Contains("-no-reboot"));
  EXPECT_THAT(command, Contains("-nodefaults"));
}

TEST(QemuCommand, ChoosesTheProcessorByTheAccelerator) {
  MachineOptions options = options_for("a.ukl");
  EXPECT_THAT(behind(command_for(options), "-cpu"), ElementsAre("max"));
  EXPECT_THAT(behind(command_for(options), "-accel"), ElementsAre("tcg,thread=multi"));
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
      ElementsAre("user,id=network,ipv6=off,net=192.168.7.9/16,host=192.168.0.1,"
                  "hostfwd=tcp:127.0.0.1:8080-192.168.7.9:80,hostfwd=udp:0.0.0.0:53-192.168.7.9:5353"));
}

TEST(QemuCommand, HasNoNetworkWhereTheImageHasNone) {
  MachineOptions options = options_for("a.ukl");
  EXPECT_TRUE(behind(command_for(options, {}), "-netdev").empty());
  options.forwards = {*parse_forward("8080:80")};
  const auto command = qemu_command(options, {}, {});
  ASSERT_FALSE(command);
  EXPECT_EQ(command.error().failure, Failure::usage);
  EXPECT_THAT(command.error().message, HasSubstr("a.ukl"));
}

TEST(QemuCommand, PassesTheChannelsOn) {
  const auto command = command_for(options_for("a.ukl"), kNetwork, {7, 9});
  EXPECT_THAT(behind(command, "-chardev"), Contains("socket,id=control,fd=7"));
  EXPECT_THAT(behind(command, "-chardev"), Contains("socket,id=input,fd=9"));
  EXPECT_THAT(behind(command, "-device"),
              Contains(fmt::format("virtserialport,chardev=control,name={}", kControlPort)));
  EXPECT_THAT(behind(command, "-device"),
              Contains(fmt::format("virtserialport,chardev=input,name={}", kInputPort)));
  EXPECT_THAT(behind(command_for(options_for("a.ukl")), "-device"), Not(Contains("virtio-serial-pci")));
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
  auto folder = TemporaryFolder::create("ukl-run,test");
  ASSERT_TRUE(folder);
  for (const char* name : {"one", "two"})
    ASSERT_TRUE(write_text(folder->path() / name, "x"));
  MachineOptions options = options_for("a.ukl");
  options.volumes = {
      {folder->path() / "one", "/1"}, {folder->path(), "/shared"}, {folder->path() / "two", "/2"}};
  const auto command = command_for(options);
  std::string path = folder->path().string();
  path.insert(path.find(','), ",");
  EXPECT_THAT(behind(command, "-fsdev"),
              ElementsAre(fmt::format("local,id=volume1,path={},security_model=none,multidevs=remap", path)));
  EXPECT_THAT(behind(command, "-drive"),
              ElementsAre(fmt::format("if=none,id=volume0,format=raw,file={}/one", path),
                          fmt::format("if=none,id=volume2,format=raw,file={}/two", path)));
  const auto parameters = behind(command, "-append").at(0);
  EXPECT_THAT(parameters,
              HasSubstr("ukl.volume=blk:vda:/1 ukl.volume=9p:volume1:/shared ukl.volume=blk:vdb:/2"));
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

TEST(KernelParameters, ComeOutOfInitAsTheyWentIn) {
  MachineOptions options = options_for("a.ukl");
  options.arguments = {"--name=a b", "100%", "\"quoted\"", "", "tab\there", "\xc3\xa9", "%41"};
  options.environment = {"GREETING=hello, $world", "EMPTY="};
  const auto parameters = kernel_parameters(options);
  ASSERT_TRUE(parameters);
  Manifest manifest = {{"arg", "/bin/app"}, {"arg", "old"}, {"env", "KEPT=1"}};
  init::add_command_line(manifest, *parameters + "\n");
  std::vector<std::string> arguments = {"/bin/app"};
  arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
  EXPECT_EQ(values_of(manifest, key::argument), arguments);
  EXPECT_THAT(values_of(manifest, key::environment),
              ElementsAre("KEPT=1", "GREETING=hello, $world", "EMPTY="));
}

TEST(KernelParameters, RefuseWhatLinuxWouldCutOff) {
  MachineOptions options = options_for("a.ukl");
  options.arguments = {std::string(2000, 'x')};
  const auto parameters = kernel_parameters(options);
  ASSERT_FALSE(parameters);
  EXPECT_EQ(parameters.error().failure, Failure::usage);
  EXPECT_THAT(parameters.error().hint, HasSubstr("ukl pack"));
}

TEST(ShellLine, QuotesWhatAShellWouldTakeApart) {
  EXPECT_EQ(shell_line({"qemu", "a b", "it's", "", "x=1,y"}), "qemu 'a b' 'it'\\''s' '' x=1,y");
}

} // namespace
} // namespace ukl
