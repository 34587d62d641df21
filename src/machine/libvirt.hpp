// SPDX-License-Identifier: GPL-2.0-only
// A machine as a domain of libvirt (https://libvirt.org/formatdomain.html), which keeps and starts it itself.
#pragma once

#include "machine/hypervisor.hpp"
#include "machine/hypervisor_files.hpp"

namespace ukl {

/// What a domain has besides: elements for cards and folders, and words for QEMU's command line.
struct LibvirtDevices {
  std::vector<std::string> elements, qemu_arguments;
};

/// A domain for `virsh define`. Without `kvm` it runs on QEMU's translator.
std::string libvirt_domain(const DescribedMachine& machine, const LibvirtDevices& devices, bool kvm);

/// The card of a machine that is on QEMU's user network and needs no more of it.
inline constexpr const char* kLibvirtUserCard = "<interface type='user'><model type='virtio'/></interface>";

} // namespace ukl
