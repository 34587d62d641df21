// SPDX-License-Identifier: GPL-2.0-only
// What a domain of libvirt says of a machine. tests/everywhere/libvirt defines and starts one.
#include "machine/libvirt.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::HasSubstr;
using testing::Not;

MachineOptions web() {
  MachineOptions options;
  options.name = "web";
  options.image = "/images/a & b.ukl";
  options.machine.clear();
  options.memory = 64 << 20;
  options.cpus = 2;
  options.accelerator = Accelerator::kvm;
  return options;
}

std::string domain(const MachineOptions& options) {
  const auto plan = plan_machine(libvirt(), options, {{"address", "10.0.2.15/24"}, {"env", "A=<b>"}}, {});
  EXPECT_TRUE(plan) << plan.error().message;
  return plan ? libvirt().file(*plan) : "";
}

TEST(Libvirt, ADomainIsTheMachine) {
  auto options = web();
  options.volumes = {{.host = "/disks/d", .guest = "/data", .kind = VolumeKind::disk, .read_only = true},
                     {.host = "/srv", .guest = "/srv", .kind = VolumeKind::folder}};
  options.network.kind = HostNetwork::Kind::user;
  options.settings = {{"env", "WORD=a <b> & \"c\""}};
  const auto text = domain(options);
  EXPECT_THAT(text, HasSubstr("\n  <name>web</name>\n  <memory unit='MiB'>64</memory>\n"
                              "  <vcpu>2</vcpu>\n"));
  EXPECT_THAT(text, HasSubstr("<kernel>/images/a &amp; b.ukl</kernel>"));
  EXPECT_THAT(text, HasSubstr("ukl.env=WORD=a%20%3Cb%3E%20%26%20%22c%22"));
  EXPECT_THAT(text, HasSubstr("ukl.volume=blk,ro:vda:/data ukl.volume=9p:volume1:/srv"));
  EXPECT_THAT(text, HasSubstr("<source file='/disks/d'/><target dev='vda' bus='virtio'/><readonly/></disk>"));
  EXPECT_THAT(text, HasSubstr("<filesystem type='mount' accessmode='mapped'><source dir='/srv'/>"
                              "<target dir='volume1'/></filesystem>"));
  EXPECT_THAT(text, HasSubstr("<qemu:arg value='user,id=ukl0,net=10.0.2.15/24,ipv6=off'/>"));
  EXPECT_THAT(text, HasSubstr("<qemu:arg value='virtio-net-pci,netdev=ukl0,bus=pcie.0,addr=0x10'/>"));
  EXPECT_THAT(text, HasSubstr("<domain type='kvm' "));
  EXPECT_THAT(text, HasSubstr("<cpu mode='host-passthrough'/>"));
}

TEST(Libvirt, CardsAndPorts) {
  auto options = web();
  options.network.kind = HostNetwork::Kind::user;
  options.forwards = {{.host_port = 8080, .guest_port = 80}};
  EXPECT_THAT(domain(options), HasSubstr(",hostfwd=tcp:127.0.0.1:8080-10.0.2.15:80'/>"));
  options.forwards.clear();
  options.network = {.kind = HostNetwork::Kind::bridge, .name = "br0", .mac = "52:54:00:00:00:01"};
  options.more_networks = {{.kind = HostNetwork::Kind::tap, .name = "tap0", .mac = "52:54:00:00:00:02"}};
  EXPECT_THAT(domain(options),
              HasSubstr("<interface type='bridge'><source bridge='br0'/><mac address='52:54:00:00:00:01'/>"
                        "<model type='virtio'/></interface>\n"
                        "    <interface type='ethernet'><target dev='tap0' managed='no'/>"
                        "<mac address='52:54:00:00:00:02'/><model type='virtio'/></interface>\n"));
  options.network.kind = HostNetwork::Kind::none;
  options.more_networks.clear();
  EXPECT_THAT(domain(options), Not(HasSubstr("<interface")));
}

TEST(Libvirt, WithoutKvm) {
  auto options = web();
  options.accelerator = Accelerator::tcg;
  EXPECT_THAT(domain(options), HasSubstr("<domain type='qemu' "));
  EXPECT_THAT(domain(options), HasSubstr("<cpu mode='maximum'/>"));
}

TEST(Libvirt, RefusesWhatADomainCannotHave) {
  const auto message = [](auto change) {
    auto options = web();
    change(options);
    const auto checked = libvirt().check(options);
    return checked ? std::string("nothing") : checked.error().message;
  };
  EXPECT_EQ(message([](auto&) {}), "nothing");
  EXPECT_THAT(message([](auto& o) { o.machine = "microvm"; }), HasSubstr("machine types"));
  EXPECT_THAT(message([](auto& o) { o.network.kind = HostNetwork::Kind::named; }),
              HasSubstr("network create"));
  EXPECT_THAT(message([](auto& o) { o.volumes = {{.host = "/f", .guest = "/f", .kind = VolumeKind::file}}; }),
              HasSubstr("single files"));
  EXPECT_THAT(message([](auto& o) { o.network.kind = HostNetwork::Kind::passt; }), HasSubstr("passt"));
  EXPECT_THAT(
      message([](auto& o) { o.forwards = {{.host_address = "::1", .host_port = 1, .guest_port = 1}}; }),
      HasSubstr("IPv6"));
  EXPECT_THAT(message([](auto& o) { o.trace = true; }), HasSubstr("trace calls"));
}

} // namespace
} // namespace ukl
