// SPDX-License-Identifier: GPL-2.0-only
#include "image/mode.hpp"

#include <sys/stat.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// The group of a file that is replaced stays; a new one gets the folder's if that has set-group-ID, else
// ours.
gid_t group_of(const fs::path& output) {
  struct stat info = {};
  if (stat(output.c_str(), &info) == 0)
    return info.st_gid;
  const auto folder = output.has_parent_path() ? output.parent_path() : fs::path(".");
  if (stat(folder.c_str(), &info) == 0 && info.st_mode & S_ISGID)
    return info.st_gid;
  return getegid();
}

// Takes off what `needed` (the bits for others) says that others and the group may not.
unsigned narrowed(unsigned mode, const struct stat& info, unsigned needed, gid_t group) {
  const bool others = (info.st_mode & needed) == needed;
  const bool in_group = (info.st_mode >> 3 & needed) == needed && (others || info.st_gid == group);
  return mode & ~(others ? 0U : 007U) & ~(in_group ? 0U : 070U);
}

// The folder of the host that an entry of the tree was copied from, if it came with an added one.
fs::path host_folder(const std::string& path, const AddedFile& added) {
  if (added.guest.empty())
    return {};
  if (path == added.guest)
    return added.host;
  const auto prefix = added.guest.ends_with('/') ? added.guest : added.guest + '/';
  return path.starts_with(prefix) ? added.host / path.substr(prefix.size()) : fs::path();
}

} // namespace

unsigned image_mode(const RootTree& tree, const std::vector<AddedFile>& added, const fs::path& output) {
  unsigned mode = 0666;
  const gid_t group = group_of(output);
  struct stat info = {};
  for (const auto& one : added)
    if (one.guest.empty() && stat(one.host.c_str(), &info) == 0)
      mode = narrowed(mode, info, S_IROTH, group);
  for (const auto& [path, entry] : tree.entries()) {
    if (entry.type == TreeEntry::Type::file && !entry.host_path.empty() &&
        stat(entry.host_path.c_str(), &info) == 0)
      mode = narrowed(mode, info, S_IROTH, group);
    if (entry.type == TreeEntry::Type::folder)
      for (const auto& one : added) {
        const auto folder = host_folder(path, one);
        if (!folder.empty() && stat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode))
          mode = narrowed(mode, info, S_IXOTH, group);
      }
  }
  return mode;
}

} // namespace ukl
