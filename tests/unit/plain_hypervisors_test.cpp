// SPDX-License-Identifier: GPL-2.0-only
// Firecracker, Cloud Hypervisor and Xen: what they are told, by the names of their own schemas, and what is
// refused. A program that plays Firecracker starts a machine in tests/boot/hypervisors.boot.
#include "machine/hypervisor.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

namespace ukl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

MachinePlan plan_for(const Hypervisor& hypervisor, bool with_network = true) {
  MachineOptions options;
  options.image = "/images/a.ukl";
  options.machine.clear();
  options.memory = 64 << 20;
  options.cpus = 2;
  options.accelerator = Accelerator::kvm;
  options.volumes = {
      {.host = "/disks/d.ext4", .guest = "/data", .kind = VolumeKind::disk, .read_only = true}};
  options.network = {with_network ? HostNetwork::Kind::tap : HostNetwork::Kind::none,
                     with_network ? "tap0" : "", with_network ? "52:54:00:00:00:01" : ""};
  auto plan = plan_machine(hypervisor, options, {{"address", "10.0.0.2/24"}, {"hostname", "web"}}, {});
  EXPECT_TRUE(plan) << plan.error().message;
  plan->file = "/tmp/machine";
  plan->initrd = "/tmp/settings";
  return *plan;
}

// src/firecracker/swagger/firecracker.yaml: BootSource, Drive, MachineConfiguration, NetworkInterface.
TEST(PlainHypervisors, FirecrackerReadsItsSchema) {
  const auto plan = plan_for(firecracker());
  EXPECT_THAT(firecracker().command(plan),
              ElementsAre("firecracker", "--no-api", "--config-file", "/tmp/machine"));
  const auto config = nlohmann::json::parse(firecracker().file(plan));
  EXPECT_EQ(config["boot-source"]["kernel_image_path"], "/images/a.ukl");
  EXPECT_EQ(config["boot-source"]["initrd_path"], "/tmp/settings");
  EXPECT_THAT(config["boot-source"]["boot_args"], HasSubstr("console=ttyS0 reboot=k panic=1 pci=off"));
  EXPECT_THAT(config["boot-source"]["boot_args"], HasSubstr("ukl.volume=blk,ro:vda:/data"));
  EXPECT_EQ(config["drives"].dump(), R"([{"drive_id":"disk0","is_read_only":true,"is_root_device":false,)"
                                     R"("path_on_host":"/disks/d.ext4"}])");
  EXPECT_EQ(config["machine-config"].dump(), R"({"mem_size_mib":64,"vcpu_count":2})");
  EXPECT_EQ(config["network-interfaces"].dump(),
            R"([{"guest_mac":"52:54:00:00:00:01","host_dev_name":"tap0","iface_id":"eth0"}])");
  const auto alone = nlohmann::json::parse(firecracker().file(plan_for(firecracker(), false)));
  EXPECT_FALSE(alone.contains("network-interfaces"));
}

// docs/ of Cloud Hypervisor: fs, memory, disk and net options of its command line.
TEST(PlainHypervisors, CloudHypervisorHasACommandLine) {
  const auto plan = plan_for(cloud_hypervisor());
  EXPECT_THAT(cloud_hypervisor().command(plan),
              ElementsAre("cloud-hypervisor", "--kernel", "/images/a.ukl", "--cmdline", plan.parameters,
                          "--cpus", "boot=2", "--memory", "size=64M", "--serial", "tty", "--console", "off",
                          "--initramfs", "/tmp/settings", "--disk", "path=/disks/d.ext4,readonly=on", "--net",
                          "tap=tap0,mac=52:54:00:00:00:01"));
  EXPECT_EQ(cloud_hypervisor().file, nullptr);
}

TEST(PlainHypervisors, XenGetsADomain) {
  auto plan = plan_for(xen());
  plan.options.network.kind = HostNetwork::Kind::bridge;
  plan.options.network.name = "xenbr0";
  const auto text = xen().file(plan);
  EXPECT_THAT(text, HasSubstr("name = \"web-"));
  EXPECT_THAT(text, HasSubstr("ramdisk = \"/tmp/settings\"\n"));
  EXPECT_THAT(text, HasSubstr("disk = [ \"format=raw,vdev=xvda,access=ro,target=/disks/d.ext4\" ]\n"));
  EXPECT_THAT(text, HasSubstr("vif = [ \"bridge=xenbr0,mac=52:54:00:00:00:01\" ]\n"));
  EXPECT_THAT(text, HasSubstr("cmdline = \"no_timer_check console=hvc0"));
}

TEST(PlainHypervisors, RefuseByNameWhatTheyLack) {
  const auto refused = [](const Hypervisor& hypervisor, const auto& change) {
    MachineOptions options;
    options.machine.clear();
    options.network.kind = HostNetwork::Kind::none;
    EXPECT_TRUE(hypervisor.check(options));
    change(options);
    const auto checked = hypervisor.check(options);
    EXPECT_FALSE(checked);
    return checked ? std::string() : checked.error().message + " | " + checked.error().hint;
  };
  EXPECT_EQ(refused(firecracker(), [](auto& o) { o.network.kind = HostNetwork::Kind::user; }),
            "Firecracker has no network of that kind | take --network tap:NAME or --network none");
  EXPECT_THAT(refused(firecracker(), [](auto& o) { o.forwards = {*parse_forward("1:2")}; }),
              HasSubstr("(-p)"));
  EXPECT_THAT(
      refused(cloud_hypervisor(),
              [](auto& o) { o.volumes = {{.host = "/", .guest = "/d", .kind = VolumeKind::folder}}; }),
      HasSubstr("Cloud Hypervisor has no folders"));
  EXPECT_THAT(refused(xen(), [](auto& o) { o.machine = "q35"; }), HasSubstr("Xen has no machine types"));
  EXPECT_THAT(refused(xen(), [](auto& o) { o.accelerator = Accelerator::tcg; }), HasSubstr("--accel tcg"));
  EXPECT_THAT(refused(xen(), [](auto& o) { o.trace = true; }), HasSubstr("--trace-calls"));
}

TEST(PlainHypervisors, AreFoundByName) {
  for (const auto* hypervisor : hypervisors())
    EXPECT_EQ(*find_hypervisor(hypervisor->name), hypervisor);
  const auto other = find_hypervisor("bhyve");
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().hint, "there are: qemu, firecracker, cloud-hypervisor, xen");
}

} // namespace
} // namespace ukl
