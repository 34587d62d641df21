// SPDX-License-Identifier: GPL-2.0-only
#include "image/tree_checks.hpp"
#include "support/overwriting.hpp"

#include <climits>
#include <cstdlib>
#include <fmt/format.h>
#include <set>

namespace ukl {

namespace fs = std::filesystem;

Result<void> check_tree(const RootTree& tree, const fs::path& output, bool compress) {
  std::vector<fs::path> inputs;
  std::uint64_t bytes = 0;
  std::set<std::pair<std::uint64_t, std::uint64_t>> counted;
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.host_path.empty())
      continue;
    inputs.push_back(entry.host_path);
    std::error_code ignored;
    // A file that has several names there is packed once.
    const std::pair inode(entry.host_device, entry.host_inode);
    if (inode.second != 0 && !counted.insert(inode).second)
      continue;
    if (const auto size = fs::file_size(entry.host_path, ignored); !ignored)
      bytes += size;
  }
  if (bytes > INT_MAX && !compress)
    return Error{Failure::usage,
                 fmt::format("the files take {} MiB, an image can hold {}", bytes >> 20, INT_MAX >> 20),
                 "leave files out, or put them on a volume (ukl run --volume)"};
  return refuse_overwriting(output, inputs);
}

std::pair<unsigned, unsigned> program_user(const Manifest& settings) {
  const auto text = value_of(settings, key::user, "0:0");
  const auto colon = text.find(':');
  return {static_cast<unsigned>(std::strtoul(text.c_str(), nullptr, 10)),
          static_cast<unsigned>(std::strtoul(text.c_str() + colon + 1, nullptr, 10))};
}

std::vector<AddedFile> user_files(const SourcedRequest& sourced) {
  auto files = sourced.request.files;
  if (sourced.source && !sourced.source->folder.empty())
    files.push_back({sourced.source->folder, "/"});
  if (sourced.source)
    for (const auto& file : sourced.source->files)
      files.push_back({file, ""});
  return files;
}

} // namespace ukl
