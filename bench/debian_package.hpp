// SPDX-License-Identifier: GPL-2.0-only
// Packages of Debian that are measured: downloaded and unpacked in the cache, not installed.
#pragma once

#include "support/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ukl::bench {

struct DebianPackage {
  std::string name, version;
  std::filesystem::path folder; ///< its files, as below /
};

/// The package's current version according to apt, below cache_folder()/bench; downloaded once per version.
/// Errors: missing_tool, not_found (apt knows no such package, or cannot get it), unwritable, disk_full.
Result<DebianPackage> debian_package(const std::string& name);

/// Names of the packages that `name`'s current version depends on and that begin with `prefix`.
Result<std::vector<std::string>> dependencies(const std::string& name, const std::string& prefix);

} // namespace ukl::bench
