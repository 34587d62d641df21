// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/cache.hpp"
#include "support/file_lock.hpp"
#include "support/places.hpp"

#include <algorithm>
#include <set>
#include <sstream>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// True if every input that is known here is the one that the kernel was built from.
bool matches(const CachedKernel& cached, const KernelInputs& inputs) {
  auto built_from = read_text(cached.folder / "inputs");
  if (!built_from)
    return false;
  std::istringstream lines(inputs.description);
  for (std::string line; std::getline(lines, line);)
    if (("\n" + *built_from).find("\n" + line + "\n") == std::string::npos)
      return false;
  return true;
}

// `<profile>-<hash>` of every kernel that the present inputs ask for.
std::set<std::string> wanted_names() {
  std::set<std::string> names;
  for (const auto& release : kernel_releases())
    for (const auto& plain : kernel_profiles())
      for (const bool unpatched : {false, true}) {
        const auto profile = profile_name(plain, release);
        auto inputs = kernel_inputs(profile, unpatched);
        if (!inputs)
          continue;
        if (auto kernel = cached_kernel(*inputs))
          names.insert(kernel->profile + "-" + kernel->hash);
        names.insert(profile + "-" + inputs->hash);
      }
  return names;
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored))
    entries.push_back(entry.path());
  return entries;
}

} // namespace

fs::path lock_path(const std::string& name) {
  return cache_folder() / "locks" / (name + ".lock");
}

Kernel kernel_in(const fs::path& folder, const std::string& profile, const std::string& hash) {
  return {profile, hash, folder / "vmlinux", folder / "config", folder / "System.map"};
}

std::string source_of_kernel(const Kernel& kernel) {
  // Beside its configuration, which only kernels of the cache have.
  const auto inputs =
      kernel.config.empty() ? Result<std::string>("") : read_text(kernel.config.parent_path() / "inputs");
  std::istringstream lines(inputs ? *inputs : "");
  const std::string source = "source ";
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(source))
      return line.substr(source.size());
  return {};
}

fs::path bz_image_in(const fs::path& folder) {
  return folder / "bzImage";
}

std::vector<CachedKernel> cached_kernels() {
  std::vector<CachedKernel> kernels;
  for (const auto& folder : entries_of(cache_folder() / "kernels")) {
    const std::string name = folder.filename();
    const auto dash = name.rfind('-');
    // What is still being written has a dot behind its hash.
    if (dash == std::string::npos || name.find('.', dash) != std::string::npos)
      continue;
    kernels.push_back({folder, name.substr(0, dash), name.substr(dash + 1)});
  }
  std::ranges::sort(kernels, {}, [](const CachedKernel& kernel) {
    std::error_code ignored;
    return fs::last_write_time(kernel.folder, ignored);
  });
  return kernels;
}

std::optional<Kernel> cached_kernel(const KernelInputs& inputs) {
  auto kernels = cached_kernels();
  std::ranges::reverse(kernels);
  for (const auto& kernel : kernels) {
    if (kernel.profile != inputs.profile)
      continue;
    if (inputs.hash.empty() ? matches(kernel, inputs) : kernel.hash == inputs.hash)
      return kernel_in(kernel.folder, kernel.profile, kernel.hash);
  }
  return std::nullopt;
}

Result<std::vector<fs::path>> clean_kernels(bool all) {
  const auto wanted = all ? std::set<std::string>() : wanted_names();
  auto candidates = entries_of(cache_folder() / "kernels");
  std::ranges::copy(entries_of(cache_folder() / "build"), std::back_inserter(candidates));
  if (all)
    std::ranges::copy(entries_of(cache_folder() / "source"), std::back_inserter(candidates));

  std::vector<fs::path> removed;
  for (const auto& path : candidates) {
    const std::string file_name = path.filename();
    // The part before the dot names what it is about: `general-<hash>.log`, `general@6.12-<hash>.new`.
    const auto dash = file_name.rfind('-');
    const std::string name =
        path.parent_path().filename() == "source"
            ? file_name
            : file_name.substr(0, file_name.find('.', dash == std::string::npos ? 0 : dash));
    if (wanted.contains(name))
      continue;
    TRY_LET(auto lock, FileLock::try_lock(lock_path(name)));
    if (!lock)
      continue;
    std::error_code failure;
    fs::remove_all(path, failure);
    if (failure)
      return file_error(path, "remove", failure.value());
    removed.push_back(path);
  }
  return removed;
}

} // namespace ukl
