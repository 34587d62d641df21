// SPDX-License-Identifier: GPL-2.0-only
// One root over another: what layers of container images and packages do to a tree.
#include "contents/root_tree.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

namespace ukl {

namespace {

// As RootTree::add refuses it.
bool belongs_to_the_kernel(const std::string& path) {
  for (const char* folder : {"/proc/", "/sys/"})
    if (path.starts_with(folder))
      return true;
  return false;
}

} // namespace

Result<bool> RootTree::put(const std::string& path, TreeEntry entry, bool keep_links) {
  const bool folder = entry.type == TreeEntry::Type::folder;
  TRY_LET(const auto place, resolve(path, folder && keep_links));
  if (belongs_to_the_kernel(place))
    return false;
  const auto found = entries_.find(place);
  if (found != entries_.end()) {
    const bool stays = found->second.type == TreeEntry::Type::folder && folder;
    if (stays) {
      found->second = std::move(entry);
      return true;
    }
    remove(place);
  }
  TRY(add(place, std::move(entry)));
  return true;
}

void RootTree::remove(const std::string& path) {
  const auto place = resolve(path, false);
  if (!place || place->empty())
    return;
  erase_below(*place);
  entries_.erase(*place);
}

void RootTree::clear(const std::string& path) {
  if (const auto place = resolve(path, true))
    erase_below(*place);
}

void RootTree::erase_below(const std::string& place) {
  const auto prefix = place + "/";
  auto end = entries_.lower_bound(prefix);
  const auto begin = end;
  while (end != entries_.end() && end->first.starts_with(prefix))
    ++end;
  entries_.erase(begin, end);
}

const TreeEntry* RootTree::find_name(const std::string& path) const {
  const auto place = resolve(path, false);
  const auto found = place ? entries_.find(*place) : entries_.end();
  return found == entries_.end() ? nullptr : &found->second;
}

std::string RootTree::real_path(const std::string& path) const {
  const auto place = resolve(path, true);
  return place ? *place : path;
}

void RootTree::mark_shared(const std::string& path) {
  const auto place = resolve(path, false);
  const auto found = place ? entries_.find(*place) : entries_.end();
  struct stat status = {};
  if (found == entries_.end() || found->second.type != TreeEntry::Type::file ||
      stat(found->second.host_path.c_str(), &status) != 0)
    return;
  found->second.host_device = status.st_dev;
  found->second.host_inode = status.st_ino;
}

} // namespace ukl
