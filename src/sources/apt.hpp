// SPDX-License-Identifier: GPL-2.0-only
// Debian packages through apt, as an ordinary user and without this machine's package state: apt gets a
// configuration of its own, with the sources, keys and proxies of this machine. Below cache_folder():
//
//   apt/conf, apt/status     that configuration; the packages that apt takes for installed
//   apt/lists, apt/cache     what apt knows of the archives
//   apt/updated              when it asked last
//   apt/closures/            what asking for packages came to, as long as the lists stay
//   apt/fetched/             packages on their way into layers/
//
// Whoever calls these holds lock_path("apt").
#pragma once

#include "support/reporter.hpp"
#include "support/result.hpp"

#include <filesystem>
#include <vector>

namespace ukl {

/// A package that is needed.
struct AptPackage {
  std::string name, version;
  std::string file;   ///< its .deb file's name
  std::string sha256; ///< of that
};

/// What packages need, themselves included, those first that others need. `names`: NAME, NAME=VERSION, or
/// absolute paths of .deb files, which are not part of what is returned. `without`: packages that are taken
/// for installed. Errors: missing_tool (no apt), not_found (no such package), usage (they cannot be
/// together), unreadable (the archive cannot be reached), interrupted.
Result<std::vector<AptPackage>> resolve_packages(const std::vector<std::string>& names,
                                                 const std::vector<std::string>& without, Reporter& reporter);

/// Fetches packages into apt/fetched/, which it empties before, and gives that folder. apt verifies each.
/// Errors: the same.
Result<std::filesystem::path> download_packages(const std::vector<AptPackage>& packages, Reporter& reporter);

/// Packages as `apt-get --print-uris` prints them.
std::vector<AptPackage> read_uris(const std::string& text);

} // namespace ukl
