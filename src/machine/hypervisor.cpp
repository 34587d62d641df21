// SPDX-License-Identifier: GPL-2.0-only
#include "machine/hypervisor.hpp"

#include <fmt/format.h>

namespace ukl {

std::vector<const Hypervisor*> hypervisors() {
  return {&qemu(), &firecracker(), &cloud_hypervisor(), &xen()};
}

Result<const Hypervisor*> find_hypervisor(const std::string& name) {
  if (name == libvirt().name)
    return &libvirt();
  std::string names;
  for (const auto* hypervisor : hypervisors()) {
    if (name == hypervisor->name)
      return hypervisor;
    names += (names.empty() ? "" : ", ") + std::string(hypervisor->name);
  }
  return Error{Failure::usage, fmt::format("there is no hypervisor {}", name), "there are: " + names};
}

} // namespace ukl
