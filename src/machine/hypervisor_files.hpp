// SPDX-License-Identifier: GPL-2.0-only
// An image in the words of hypervisors that ukl does not start itself.
#pragma once

#include "image/write.hpp"

#include <functional>

namespace ukl {

/// `firecracker`: its --config-file (JSON, src/vmm/src/resources.rs of Firecracker); `cloud-hypervisor`: a
/// script with its command line; `libvirt`: a domain (XML) for virsh define.
bool is_hypervisor_file(const std::string& format);
/// Without the dot.
std::string hypervisor_file_ending(const std::string& format);

struct HypervisorFile {
  std::string text;
  std::function<std::string(const std::string& path)> command; ///< that starts the machine
};

/// `parameters` are added to the kernel's. The machine has one CPU and as much memory as the image needs.
/// Error: usage (no such format).
Result<HypervisorFile> hypervisor_file(const std::string& format, const std::filesystem::path& image,
                                       const ImageInfo& info, std::uint64_t memory,
                                       const std::string& parameters);

} // namespace ukl
