// SPDX-License-Identifier: GPL-2.0-only
#include "support/installation.hpp"
#include "support/environment.hpp"
#include "support/files.hpp"

namespace ukl {
namespace {

namespace fs = std::filesystem;

Installation installed_at(const fs::path& home) {
  return {home / "ukl-init", home / "kernel", home / "include"};
}

// The source tree of a CMake build folder; empty if it is none.
fs::path source_of(const fs::path& build) {
  const auto cache = read_text(build / "CMakeCache.txt");
  if (!cache)
    return {};
  const std::string key = "\nCMAKE_HOME_DIRECTORY:INTERNAL=";
  const auto found = cache->find(key);
  if (found == std::string::npos)
    return {};
  const auto start = found + key.size();
  return cache->substr(start, cache->find('\n', start) - start);
}

} // namespace

Installation find_installation(const fs::path& tool, const fs::path& home) {
  if (!home.empty())
    return installed_at(home);
  const auto folder = tool.parent_path();
  // The benchmark lies in a folder of its own inside the build folder.
  for (const auto& build : {folder, folder.parent_path()})
    if (const auto source = source_of(build); !source.empty())
      return {build / "ukl-init", source / "kernel", source / "include"};
  const auto beside = folder.parent_path() / "share/ukl";
  std::error_code ignored;
  if (fs::exists(beside, ignored))
    return installed_at(beside);
  return installed_at(UKL_INSTALL_SHARE);
}

Installation find_installation() {
  std::error_code ignored;
  return find_installation(fs::read_symlink("/proc/self/exe", ignored), variable_or("UKL_HOME", ""));
}

} // namespace ukl
