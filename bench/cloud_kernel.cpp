// SPDX-License-Identifier: GPL-2.0-only
#include "cloud_kernel.hpp"
#include "debian_package.hpp"

#include <fmt/format.h>

namespace ukl::bench {

namespace fs = std::filesystem;

Result<CloudKernel> cloud_kernel() {
  const std::string prefix = "linux-image-";
  // The meta package depends on the package of the current version.
  auto images = dependencies("linux-image-cloud-amd64", prefix);
  if (!images)
    return images.error();
  if (images->size() != 1)
    return Error{Failure::not_found, "linux-image-cloud-amd64 does not depend on one kernel",
                 "run apt-get update"};
  auto package = debian_package(images->front());
  if (!package)
    return package.error();

  const auto release = package->name.substr(prefix.size());
  CloudKernel kernel;
  kernel.version = package->version;
  kernel.vmlinuz = package->folder / "boot" / ("vmlinuz-" + release);
  const auto modules = package->folder / "lib/modules" / release / "kernel";
  for (const auto* module :
       {"drivers/virtio/virtio.ko", "drivers/virtio/virtio_ring.ko",
        "drivers/virtio/virtio_pci_legacy_dev.ko", "drivers/virtio/virtio_pci_modern_dev.ko",
        "drivers/virtio/virtio_pci.ko", "net/core/failover.ko", "drivers/net/net_failover.ko",
        "drivers/net/virtio_net.ko"})
    kernel.network_modules.push_back(modules / module);

  auto files = kernel.network_modules;
  files.push_back(kernel.vmlinuz);
  std::error_code ignored;
  for (const auto& file : files)
    if (!fs::exists(file, ignored))
      return Error{Failure::not_found, fmt::format("{} has no {}", package->name, file.string()),
                   "that version names it otherwise: adapt bench/cloud_kernel.cpp"};
  return kernel;
}

} // namespace ukl::bench
