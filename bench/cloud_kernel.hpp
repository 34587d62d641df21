// SPDX-License-Identifier: GPL-2.0-only
// Debian's own kernel for virtual machines, as `apt-get install linux-image-cloud-amd64` would give it: the
// baseline.
#pragma once

#include "support/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ukl::bench {

struct CloudKernel {
  std::string version;           ///< of the Debian package: 6.1.192-2
  std::filesystem::path vmlinuz; ///< bzImage
  /// Modules for a virtio network card on PCI, in the order in which they must be loaded.
  std::vector<std::filesystem::path> network_modules;
};

/// Downloads the package that linux-image-cloud-amd64 depends on and unpacks it below cache_folder()/bench,
/// once per version. Errors: missing_tool, not_found (apt knows no such package, or cannot get it),
/// unwritable, disk_full.
Result<CloudKernel> cloud_kernel();

} // namespace ukl::bench
