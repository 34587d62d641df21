// SPDX-License-Identifier: GPL-2.0-only
#include "machine/find_files.hpp"

#include "machine/accelerator.hpp"
#include "machine/fit_machine.hpp"
#include "machine/run.hpp"

#include <algorithm>
#include <set>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// A folder with more entries than this is the user's to add.
constexpr std::size_t kMostEntries = 2000;

// What is another thing in each machine.
constexpr const char* kOwn[] = {
    "/proc", "/sys", "/dev", "/run", "/tmp", "/etc/ld.so.cache", "/etc/ld.so.preload"};

bool is_own(const fs::path& path) {
  return std::ranges::any_of(
      kOwn, [&](const std::string& own) { return path == own || path.string().starts_with(own + "/"); });
}

bool is_large(const fs::path& folder) {
  std::error_code failure;
  std::size_t count = 0;
  for (fs::recursive_directory_iterator at(folder, fs::directory_options::skip_permission_denied, failure),
       end;
       !failure && at != end; at.increment(failure))
    if (++count > kMostEntries)
      return true;
  return false;
}

} // namespace

FoundFiles sort_missing(const std::vector<std::string>& missing) {
  FoundFiles found;
  std::set<fs::path> seen;
  for (const auto& line : missing) {
    if (line.size() < 2 || line[1] != '/')
      continue;
    const auto path = fs::path(line.substr(1)).lexically_normal();
    std::error_code ignored;
    if (path == "/" || is_own(path) || !seen.insert(path).second)
      continue;
    if (fs::is_directory(path, ignored))
      (is_large(path) ? found.large : found.here).push_back(path);
    else if (fs::is_regular_file(path, ignored))
      found.here.push_back(path);
    else if (line[0] == 'd' && !fs::exists(path, ignored))
      found.nowhere.push_back(path);
  }
  return found;
}

Result<FoundFiles> find_files(const fs::path& image, std::chrono::milliseconds limit, Reporter& reporter) {
  TRY_LET(const auto info, read_image(image));
  MachineOptions options;
  options.image = image;
  options.machine.clear();
  options.memory = 0;
  options.find_files = true;
  options.timeout = limit;
  TRY(fit_machine(qemu(), info, options));
  options.accelerator = choose_accelerator(probe_with(options));
  const auto progress = reporter.progress("looking for files", 1);
  TRY_LET(const auto end, run_machine(options, info.manifest, true));
  progress->update(1);
  return sort_missing(end.missing);
}

} // namespace ukl
