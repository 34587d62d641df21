// SPDX-License-Identifier: GPL-2.0-only
#include "machine/hypervisor.hpp"
#include "machine/qemu_type.hpp"
#include "machine/timers.hpp"

#include <algorithm>
#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

MachineOptions on(const std::string& machine, Accelerator accelerator = Accelerator::tcg) {
  MachineOptions options;
  options.image = "a.ukl";
  options.machine = machine;
  options.accelerator = accelerator;
  return options;
}

TEST(MachineType, ThoseThatStartPvhKernelsAreTaken) {
  for (const char* machine : {"q35", "pc", "microvm", "pc,hpet=off", "microvm,acpi=on", "pc-q35-7.2",
                              "pc-q35-4.0.1", "pc-i440fx-4.0", "pc-i440fx-7.2"})
    EXPECT_TRUE(check_machine(on(machine))) << machine;
}

// What a small kernel lacks is said before anything starts.
TEST(MachineType, KernelsThatLackSomething) {
  EXPECT_EQ(usual_machine({}), "q35");
  EXPECT_EQ(usual_machine({"cpus", "pci"}), "microvm");
  auto options = on("microvm");
  options.lacks = {"cpus", "pci", "acpi", "folders", "ipv6"};
  EXPECT_TRUE(check_machine(options));
  EXPECT_EQ(machine_argument(options), "microvm,acpi=off");
  // Under KVM as well: nobody would read the tables.
  options.accelerator = Accelerator::kvm;
  EXPECT_EQ(machine_argument(options), "microvm,acpi=off");
  const auto refused = [](const MachineOptions& wanted, const std::string& what) {
    const auto checked = check_machine(wanted);
    ASSERT_FALSE(checked) << what;
    EXPECT_EQ(checked.error().failure, Failure::kernel_lacks);
    EXPECT_THAT(checked.error().message, HasSubstr(what));
    EXPECT_THAT(checked.error().hint, HasSubstr("--profile general"));
  };
  auto several = options;
  several.cpus = 2;
  refused(several, "several CPUs");
  auto other = options;
  other.machine = "q35";
  refused(other, "devices on PCI");
  auto folder = options;
  folder.volumes.push_back({});
  refused(folder, "folders of this machine");
  auto address = options;
  address.settings.emplace_back(key::address, "fd00::2/64");
  refused(address, "IPv6");
}

TEST(MachineType, OthersAreRefusedBeforeTheyHang) {
  for (const char* machine : {"pc-i440fx-3.1", "pc-q35-2.4", "pc-q35-3.1", "pc-i440fx-2.12", "pc-i440fx-1.4",
                              "isapc", "none", "virt", "", "pc-q35-x", "pc-q35-", "xenfv"}) {
    const auto checked = check_machine(on(machine));
    ASSERT_FALSE(checked) << machine;
    EXPECT_EQ(checked.error().failure, Failure::usage);
    EXPECT_THAT(checked.error().message, HasSubstr("'" + std::string(machine) + "'"));
    EXPECT_THAT(checked.error().hint, HasSubstr("q35"));
  }
}

TEST(MachineType, TheLastOneThatQemuGetsCounts) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"-machine", "isapc"},
                                                    {"-M", "type=isapc"},
                                                    {"-M", "q35", "-M", "isapc,hpet=off"}}) {
    auto options = on("q35");
    options.qemu_arguments = arguments;
    EXPECT_FALSE(check_machine(options));
  }
  auto options = on("q35");
  options.qemu_arguments = {"-machine", "hpet=off", "-M", "graphics=off"};
  EXPECT_TRUE(check_machine(options));
}

TEST(MachineType, MoreCpusThanThereCanBeAreRefused) {
  for (const char* machine : {"q35", "pc", "microvm"}) {
    auto options = on(machine);
    options.cpus = 64;
    EXPECT_TRUE(check_machine(options));
    options.cpus = 65;
    const auto checked = check_machine(options);
    ASSERT_FALSE(checked);
    EXPECT_THAT(checked.error().message, HasSubstr("65"));
    EXPECT_THAT(checked.error().hint, HasSubstr("64"));
  }
}

TEST(MachineType, AcpiIsLeftOutUnderTheTranslator) {
  const std::string out = counter_is_steady() ? ",acpi=off" : "";
  EXPECT_EQ(machine_argument(on("microvm")), "microvm,acpi=off");
  EXPECT_EQ(machine_argument(on("microvm,rtc=off")), "microvm,rtc=off,acpi=off");
  EXPECT_EQ(machine_argument(on("pc")), "pc" + out);
  EXPECT_EQ(machine_argument(on("q35")), "q35" + out);
  EXPECT_EQ(machine_argument(on("microvm", Accelerator::kvm)), "microvm");
  EXPECT_EQ(machine_argument(on("q35", Accelerator::kvm)), "q35");
}

TEST(MachineType, AcpiStaysForWhoAsksForIt) {
  for (const char* machine : {"microvm,acpi=on", "q35,acpi=on", "pc,hpet=off,acpi=on"}) {
    EXPECT_EQ(machine_argument(on(machine)), machine);
    EXPECT_THAT(machine_parameters(on(machine)), Not(Contains("acpi=off")));
    EXPECT_EQ(firmware(on(machine)), "");
  }
  // What the user adds to the machine may need it.
  auto options = on("q35");
  options.qemu_arguments = {"-device", "pcie-root-port"};
  EXPECT_FALSE(goes_without_acpi(options));
  EXPECT_EQ(processors_argument(options), "1");
  options = on("q35");
  options.append = "quiet acpi=force";
  EXPECT_FALSE(goes_without_acpi(options));
  // A part of another word is none.
  options.append = "quiet notacpi=1";
  EXPECT_EQ(goes_without_acpi(options), counter_is_steady());
}

TEST(MachineType, LinuxIsToldTheSpeedOfTimersThatItWouldMeasure) {
  for (const char* machine : {"q35", "pc", "microvm", "q35,acpi=on"}) {
    const auto words = machine_parameters(on(machine));
    EXPECT_THAT(words, Contains("ukl_lapic_khz=1000000")) << machine;
    if (counter_is_steady()) {
      EXPECT_THAT(words, Contains(StartsWith("tsc_early_khz="))) << machine;
      EXPECT_THAT(words, Contains("tsc=reliable")) << machine;
    }
    // KVM has a clock of its own and a timer that counts the time-stamp counter.
    EXPECT_THAT(machine_parameters(on(machine, Accelerator::kvm)), Not(Contains(HasSubstr("khz"))))
        << machine;
  }
  // With ACPI, microvm has no other clock.
  EXPECT_THAT(machine_parameters(on("microvm,acpi=on")), Contains(StartsWith("tsc_early_khz=")));
  // With -icount or another -cpu the counter is not this host's.
  auto options = on("q35");
  options.qemu_arguments = {"-icount", "shift=0"};
  EXPECT_THAT(machine_parameters(options), ElementsAre("ukl_lapic_khz=1000000"));
}

TEST(MachineType, MachinesWithoutAcpiEndAtOnce) {
  EXPECT_THAT(machine_parameters(on("microvm")), Contains("reboot=t"));
  EXPECT_THAT(machine_parameters(on("microvm,acpi=on")), Contains("reboot=t"));
  EXPECT_THAT(machine_parameters(on("q35,acpi=on")), Not(Contains("reboot=t")));
  EXPECT_EQ(std::ranges::count(machine_parameters(on("q35")), "reboot=t"), counter_is_steady());
}

TEST(MachineType, EveryCpuIsAPackageWhereMpTablesNamePackages) {
  auto options = on("q35");
  options.cpus = 4;
  EXPECT_EQ(processors_argument(options), counter_is_steady() ? "4,sockets=4" : "4");
  options.machine = "q35,acpi=on";
  EXPECT_EQ(processors_argument(options), "4");
  options.machine = "microvm";
  EXPECT_EQ(processors_argument(options), "4");
}

TEST(MachineType, TheCounterIsMeasured) {
  // Between 100 MHz and 10 GHz, and twice the same to a few per mille.
  const double first = static_cast<double>(counter_kilohertz()),
               second = static_cast<double>(counter_kilohertz());
  EXPECT_GT(first, 1e5);
  EXPECT_LT(first, 1e7);
  EXPECT_NEAR(first, second, first * 0.002);
}

TEST(MachineType, InitIsToldHowManyCpusThereAre) {
  auto options = on("q35");
  EXPECT_EQ(value_of(run_settings(options), key::cpus), "");
  options.cpus = 3;
  EXPECT_EQ(value_of(run_settings(options), key::cpus), "3");
}

} // namespace
} // namespace ukl
