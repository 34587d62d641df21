// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/profile.hpp"
#include "kernel/cache.hpp"
#include "support/installation.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

} // namespace

fs::path cache_folder() {
  if (const auto own = variable("UKL_CACHE"); !own.empty())
    return own;
  if (const auto all = variable("XDG_CACHE_HOME"); !all.empty())
    return fs::path(all) / "ukl";
  fs::path home = variable("HOME");
  // A service manager may start us without HOME.
  if (const passwd* user = home.empty() ? getpwuid(getuid()) : nullptr)
    home = user->pw_dir;
  return home / ".cache" / "ukl";
}

std::vector<std::string> kernel_profiles() {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(find_installation().kernel / "profiles", ignored))
    if (entry.path().extension() == ".config" && entry.path().stem() != "base")
      names.push_back(entry.path().stem());
  std::ranges::sort(names);
  return names;
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
