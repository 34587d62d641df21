// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/profile.hpp"
#include "kernel/cache.hpp"
#include "support/installation.hpp"

#include <algorithm>
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
