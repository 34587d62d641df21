// SPDX-License-Identifier: GPL-2.0-only
// A Debian package (deb(5)): its files as a layer, and what its maintainer scripts say.
#pragma once

#include "sources/layer_store.hpp"

namespace ukl {

struct PackageArchive {
  std::string name;    ///< of the package
  std::string control; ///< what its control file says
  Layer layer;         ///< of its files
  std::string before;  ///< its preinst, as text
  std::string after;   ///< its postinst
};

/// The package of this SHA-256, from the cache; `file` is read if it is not there. Errors: those of
/// store_layer, unreadable (it is no package).
Result<PackageArchive> store_package(const std::string& sha256, const std::filesystem::path& file,
                                     const std::string& name, Reporter& reporter);

} // namespace ukl
