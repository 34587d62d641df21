// SPDX-License-Identifier: GPL-2.0-only
#include "machine/fit_machine.hpp"

#include "machine/checks.hpp"

namespace ukl {

Result<void> fit_machine(const Hypervisor& hypervisor, const ImageInfo& image, MachineOptions& options) {
  options.lacks = values_of(image.manifest, key::lacks);
  if (options.machine.empty())
    options.machine = hypervisor.usual_machine(options.lacks);
  options.disks = hypervisor.disks;
  TRY(hypervisor.check(options));
  TRY_LET(const auto tree, tree_size(options.image, image));
  const auto need = memory_need(image, tree, options.cpus);
  if (options.memory == 0)
    options.memory = need.comfortable;
  TRY(check_memory(options, need));
  options.root = root_type(need, options.memory);
  // The start code that finds a block is the one that moves the kernel (boot/slide.cpp).
  options.takes_block = image.positions > 1;
  return {};
}

} // namespace ukl
