// SPDX-License-Identifier: GPL-2.0-only
#include "sources/apply_layer.hpp"

#include <fmt/format.h>

namespace ukl {
namespace {

constexpr std::string_view kWhiteout = ".wh.";
constexpr std::string_view kMeta = ".wh..wh.";
constexpr std::string_view kOpaque = ".wh..wh..opq";

std::string_view last_part(const std::string& path) {
  return std::string_view(path).substr(path.rfind('/') + 1);
}

std::string folder_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

Error refuse(const std::string& name, const std::string& what) {
  return {Failure::unreadable, fmt::format("{} cannot be unpacked: {}", name, what),
          "whoever made it has to correct it"};
}

// They are of what lies below, wherever in the archive they stand.
Result<void> remove_below(RootTree& tree, const Layer& layer, const std::string& name) {
  for (const auto& entry : layer.entries) {
    const auto last = last_part(entry.path);
    if (!last.starts_with(kWhiteout))
      continue;
    if (last == kOpaque) {
      tree.clear(folder_of(entry.path));
      continue;
    }
    if (last.starts_with(kMeta))
      continue;
    const auto removed = last.substr(kWhiteout.size());
    if (removed.empty() || removed == "." || removed == "..")
      return refuse(name, fmt::format("{} removes nothing that can be", entry.path));
    tree.remove(folder_of(entry.path) + "/" + std::string(removed));
  }
  return {};
}

Result<void> add_hard_link(RootTree& tree, const LayerEntry& entry, const std::string& name) {
  const auto* target = tree.find_name(entry.target);
  if (!target || target->type == TreeEntry::Type::folder)
    return refuse(name,
                  fmt::format("{} is a hard link to {}, which is no file of it", entry.path, entry.target));
  // To itself.
  if (tree.find_name(entry.path) == target)
    return {};
  tree.mark_shared(entry.target);
  auto copy = *target;
  TRY(tree.put(entry.path, std::move(copy)));
  return {};
}

Result<void> add_entry(RootTree& tree, const Layer& layer, const LayerEntry& entry, LayerKind kind,
                       const std::string& name, const std::shared_ptr<const Package>& package) {
  TreeEntry made;
  switch (entry.kind) {
  case LayerEntry::Kind::hard_link:
    return add_hard_link(tree, entry, name);
  case LayerEntry::Kind::folder:
    break;
  case LayerEntry::Kind::link:
    made.type = TreeEntry::Type::link;
    made.target = entry.target;
    break;
  case LayerEntry::Kind::file:
    made.type = TreeEntry::Type::file;
    made.host_path = layer.file(entry);
    made.package = package;
    made.capability = entry.capability;
    break;
  }
  made.mode = made.type == TreeEntry::Type::link ? 0777 : entry.mode;
  made.owner = entry.owner;
  made.group = entry.group;
  made.time = entry.time;
  made.settled = true;
  TRY(tree.put(entry.path, std::move(made), kind == LayerKind::package));
  return {};
}

} // namespace

Result<void> apply_layer(RootTree& tree, const Layer& layer, LayerKind kind, const std::string& name,
                         const std::shared_ptr<const Package>& package) {
  if (kind == LayerKind::image)
    TRY(remove_below(tree, layer, name));
  for (const auto& entry : layer.entries) {
    if (kind == LayerKind::image && last_part(entry.path).starts_with(kWhiteout))
      continue;
    if (auto added = add_entry(tree, layer, entry, kind, name, package); !added)
      return added.error().failure == Failure::usage ? refuse(name, added.error().message) : added.error();
  }
  // What the tool keeps for itself.
  tree.remove("/.ukl");
  return {};
}

std::vector<std::string> describe_losses(const std::vector<Layer>& layers) {
  std::size_t devices = 0;
  std::string device;
  for (const auto& layer : layers)
    for (const auto& path : layer.left_out)
      if (devices++ == 0)
        device = path;
  if (devices == 0)
    return {};
  return {fmt::format("left out {}{}: neither file nor folder nor link", device,
                      devices > 1 ? fmt::format(" (and {} more)", devices - 1) : "")};
}

} // namespace ukl
