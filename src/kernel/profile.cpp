// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/profile.hpp"
#include "kernel/cache.hpp"
#include "support/installation.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>

namespace ukl {

namespace fs = std::filesystem;

std::vector<std::string> kernel_profiles() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(find_installation().kernel / "profiles", ignored))
    if (entry.path().extension() == ".config" && entry.path().stem() != "base")
      names.push_back(entry.path().stem());
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> kernel_releases() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(find_installation().kernel / "patches", ignored))
    if (entry.is_directory(ignored))
      names.push_back(entry.path().filename());
  // As numbers: 6.12 is after 6.1, and after 6.6 too.
  std::ranges::sort(names, [](const auto& a, const auto& b) { return strverscmp(a.c_str(), b.c_str()) < 0; });
  return names;
}

ProfileName parse_profile(const std::string& name) {
  const auto at = name.find('@');
  if (at == std::string::npos)
    return {name, kDefaultRelease};
  return {name.substr(0, at), name.substr(at + 1)};
}

std::string profile_name(const std::string& profile, const std::string& release) {
  return release.empty() || release == kDefaultRelease ? profile : profile + "@" + release;
}

Result<Kernel> find_kernel(const std::string& profile) {
  auto inputs = kernel_inputs(profile);
  if (!inputs)
    return inputs.error();
  if (auto kernel = cached_kernel(*inputs))
    return *kernel;
  return Error{Failure::no_kernel,
               fmt::format("no kernel of profile {} is built for the present inputs", profile),
               fmt::format("ukl kernel build --profile {}", profile)};
}

} // namespace ukl
