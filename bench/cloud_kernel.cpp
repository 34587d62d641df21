// SPDX-License-Identifier: GPL-2.0-only
#include "cloud_kernel.hpp"
#include "debian_package.hpp"
#include "support/files.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>
#include <string_view>

namespace ukl::bench {

namespace {

namespace fs = std::filesystem;

Result<fs::path> find_module(const fs::path& folder, const std::string& name) {
  std::error_code failure;
  for (fs::recursive_directory_iterator entry(folder, failure), end; entry != end; entry.increment(failure)) {
    auto stem = entry->path().stem().string();
    std::ranges::replace(stem, '-', '_');
    if (stem == name && entry->path().extension() == ".ko")
      return entry->path();
  }
  return Error{Failure::not_found, fmt::format("there is no kernel module {} in {}", name, folder.string()),
               "that version names it otherwise: adapt bench/cloud_kernel.cpp"};
}

// A module behind those that it depends on: its section .modinfo says `depends=A,B` (kernel/module/main.c).
Result<void> add_module(const fs::path& folder, const std::string& name, std::vector<fs::path>& modules) {
  auto path = find_module(folder, name);
  if (!path)
    return path.error();
  if (std::ranges::find(modules, *path) != modules.end())
    return {};
  auto bytes = read_file(*path);
  if (!bytes)
    return bytes.error();
  const std::string_view text(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  constexpr std::string_view word("\0depends=", 9);
  if (const auto found = text.find(word); found != std::string_view::npos) {
    std::istringstream names{std::string(text.substr(found + word.size()).data())};
    for (std::string other; std::getline(names, other, ',');)
      if (auto added = add_module(folder, other, modules); !added)
        return added;
  }
  modules.push_back(*path);
  return {};
}

} // namespace

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
  for (const auto* module : {"virtio_pci", "virtio_net"})
    if (auto added =
            add_module(package->folder / "lib/modules" / release / "kernel", module, kernel.network_modules);
        !added)
      return added.error();
  std::error_code ignored;
  if (!fs::exists(kernel.vmlinuz, ignored))
    return Error{Failure::not_found, fmt::format("{} has no {}", package->name, kernel.vmlinuz.string()),
                 "that version names it otherwise: adapt bench/cloud_kernel.cpp"};
  return kernel;
}

} // namespace ukl::bench
