// SPDX-License-Identifier: GPL-2.0-only
// An image in the words of hypervisors that ukl does not start itself.
#pragma once

#include "image/write.hpp"
#include "machine/plan.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace ukl {

/// A machine in words that every hypervisor has.
struct DescribedMachine {
  std::string name, image, initrd, parameters; ///< `initrd` may be empty; paths are absolute
  std::uint64_t mebibytes = 0;
  unsigned cpus = 1;
  struct Disk {
    std::string path;
    bool read_only = false;
  };
  std::vector<Disk> disks;
  std::string tap, mac; ///< of its network card; no tap: it has none
};

/// What Firecracker reads (its src/firecracker/swagger/firecracker.yaml), Cloud Hypervisor's command line
/// (its docs/), and a domain for xl (xl.cfg(5)).
std::string firecracker_config(const DescribedMachine& machine);
std::vector<std::string> cloud_hypervisor_command(const DescribedMachine& machine);
std::string xen_domain(const DescribedMachine& machine);

/// The same of a planned machine, as far as they have words for it.
DescribedMachine describe_machine(const MachinePlan& plan);

/// What a hypervisor has not, if it was asked for, and what to do instead (empty: leave it out).
struct HypervisorLack {
  bool asked;
  std::string what, instead;
};
/// `lacks`, and then what none but ukl's own QEMU has. Error: usage, for the first that was asked for.
Result<void> refuse_lacks(const char* hypervisor, const MachineOptions& options,
                          std::vector<HypervisorLack> lacks);
/// The usual_machine of a hypervisor that has no types.
std::string no_machine_type(const std::vector<std::string>& lacks);

/// What Linux has to be told on them.
inline constexpr const char* kFirecrackerParameters = "console=ttyS0 reboot=k panic=1 pci=off";
inline constexpr const char* kCloudHypervisorParameters = "console=ttyS0";
inline constexpr const char* kXenParameters = "console=hvc0";
inline constexpr const char* kLibvirtParameters = "console=ttyS0";

/// `firecracker`: its --config-file (JSON, src/vmm/src/resources.rs of Firecracker); `cloud-hypervisor`: a
/// script with its command line; `libvirt`: a domain (XML) for virsh define; `xen`: a domain for xl create
/// (xl.cfg(5)).
bool is_hypervisor_file(const std::string& format);
/// Without the dot.
std::string hypervisor_file_ending(const std::string& format);

struct HypervisorFile {
  std::string text;
  std::function<std::string(const std::string& path)> command; ///< that starts the machine
};

/// `parameters` are added to the kernel's. The machine has one CPU and as much memory as the image needs.
/// Errors: usage (no such format, a line break in the parameters), kernel_lacks (`xen`, and the image's
/// kernel has no support for it), not_found.
Result<HypervisorFile> hypervisor_file(const std::string& format, const std::filesystem::path& image,
                                       const ImageInfo& info, std::uint64_t memory,
                                       const std::string& parameters);

} // namespace ukl
