// SPDX-License-Identifier: GPL-2.0-only
#include "contents/root_tree.hpp"
#include "contents/file_capability.hpp"

#include <algorithm>
#include <cerrno>
#include <deque>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

// Linux gives up after as many (MAXSYMLINKS, include/linux/namei.h).
constexpr int kMostLinks = 40;

std::vector<std::string> components(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t start = 0; start < path.size();) {
    const auto end = std::min(path.find('/', start), path.size());
    if (end > start)
      parts.push_back(path.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

// A program may lie in /tmp, and still others have to be able to write there.
unsigned mode_of_new_folder(const std::string& path) {
  return path == "/tmp" || path == "/var/tmp" ? 01777 : 0755;
}

TreeEntry implied_folder(const std::string& path) {
  TreeEntry entry;
  entry.mode = mode_of_new_folder(path);
  entry.implied = true;
  return entry;
}

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

Error too_many_links(const std::string& path) {
  return {Failure::usage, fmt::format("{} leads through too many symbolic links", path),
          "name the file itself"};
}

// Walks a path the way the kernel does. `link_at` gives the target of a link, or nothing where there is none.
template <typename LinkAt>
Result<std::string> walk(const std::string& path, bool follow_last, LinkAt link_at) {
  const auto parts = components(path);
  std::deque<std::string> rest(parts.begin(), parts.end());
  std::string done;
  for (int links = 0; !rest.empty();) {
    const auto part = rest.front();
    rest.pop_front();
    if (part == ".")
      continue;
    if (part == "..") {
      done = done.empty() ? "" : parent_of(done);
      continue;
    }
    const auto next = done + "/" + part;
    const std::optional<std::string> target =
        rest.empty() && !follow_last ? std::nullopt : std::optional<std::string>(link_at(next));
    if (!target || target->empty()) {
      done = next;
      continue;
    }
    if (++links > kMostLinks)
      return too_many_links(path);
    const auto more = components(*target);
    rest.insert(rest.begin(), more.begin(), more.end());
    if (target->starts_with('/'))
      done.clear();
  }
  return done;
}

// True if `path` is `folder` or lies below it.
bool is_within(const std::string& path, const std::string& folder) {
  return path == folder || folder.empty() || (path.starts_with(folder) && path[folder.size()] == '/');
}

// Where Linux shows its own files: what an image has there would never be seen. (What it has in /dev is moved
// over by init.)
bool belongs_to_the_kernel(const std::string& path) {
  return is_within(path, "/proc") || is_within(path, "/sys");
}

void take_over(TreeEntry& entry, const struct stat& status) {
  entry.owner = status.st_uid;
  entry.group = status.st_gid;
  entry.time = status.st_mtim.tv_sec;
}

// A symbolic link's target on the host; empty if it is something else or not there.
std::string host_link(const std::string& path) {
  std::error_code error;
  auto target = fs::read_symlink(path, error);
  return error ? std::string() : target.string();
}

} // namespace

TreeEntry folder_entry(unsigned mode) {
  TreeEntry entry;
  entry.mode = mode;
  return entry;
}

TreeEntry link_entry(std::string target) {
  TreeEntry entry;
  entry.type = TreeEntry::Type::link;
  entry.mode = 0777;
  entry.target = std::move(target);
  return entry;
}

TreeEntry text_entry(std::string_view text, unsigned mode) {
  TreeEntry entry;
  entry.type = TreeEntry::Type::file;
  entry.mode = mode;
  entry.contents.assign(text.begin(), text.end());
  return entry;
}

TreeEntry host_entry(fs::path host_path, unsigned mode) {
  TreeEntry entry;
  entry.type = TreeEntry::Type::file;
  entry.mode = mode & 07777;
  struct stat status = {};
  if (stat(host_path.c_str(), &status) == 0) {
    take_over(entry, status);
    if (status.st_nlink > 1) {
      entry.host_device = status.st_dev;
      entry.host_inode = status.st_ino;
    }
  }
  entry.capability = file_capability(host_path);
  entry.host_path = std::move(host_path);
  return entry;
}

TreeEntry device_entry(unsigned major, unsigned minor, unsigned mode) {
  TreeEntry entry;
  entry.type = TreeEntry::Type::device;
  entry.mode = mode;
  entry.major = major;
  entry.minor = minor;
  return entry;
}

Result<std::string> RootTree::resolve(const std::string& path, bool follow_last) const {
  return walk(path, follow_last, [&](const std::string& at) {
    const auto found = entries_.find(at);
    return found != entries_.end() && found->second.type == TreeEntry::Type::link ? found->second.target : "";
  });
}

void RootTree::change_contents(const std::string& path, Bytes contents) {
  auto& file = entries_.at(path);
  file.changed = std::make_shared<const Bytes>(std::move(contents));
  if (file.host_inode == 0)
    return;
  for (auto& [name, entry] : entries_)
    if (entry.host_inode == file.host_inode && entry.host_device == file.host_device)
      entry.changed = file.changed;
}

void RootTree::set_package(const std::string& path, std::shared_ptr<const Package> package) {
  const auto resolved = resolve(path, false);
  if (const auto found = resolved ? entries_.find(*resolved) : entries_.end(); found != entries_.end())
    found->second.package = std::move(package);
}

const TreeEntry* RootTree::find(const std::string& path) const {
  const auto resolved = resolve(path, true);
  const auto found = resolved ? entries_.find(*resolved) : entries_.end();
  return found == entries_.end() ? nullptr : &found->second;
}

Result<void> RootTree::add(const std::string& path, TreeEntry entry) {
  if (!path.starts_with('/') || path.find('\0') != std::string::npos)
    return Error{Failure::usage, fmt::format("{} is not an absolute path", path),
                 "begin the guest's path with /"};
  auto place = resolve(path, entry.type == TreeEntry::Type::folder);
  if (!place)
    return place.error();
  if (place->empty())
    return {};
  if (belongs_to_the_kernel(parent_of(*place)))
    return Error{Failure::usage,
                 fmt::format("{} cannot be in an image: Linux shows its own files there", path),
                 "choose another place in the image"};
  for (auto parent = parent_of(*place); !parent.empty(); parent = parent_of(parent)) {
    const auto [found, added] = entries_.try_emplace(parent, implied_folder(parent));
    if (found->second.type != TreeEntry::Type::folder)
      return Error{Failure::usage,
                   fmt::format("{} cannot be a folder: the image already has a file there", parent),
                   fmt::format("choose another place for {}", path)};
    if (!added)
      break;
  }
  const auto found = entries_.find(*place);
  if (found != entries_.end() && found->second.type == TreeEntry::Type::folder) {
    if (entry.type != TreeEntry::Type::folder)
      return Error{Failure::usage, fmt::format("{} is a folder of the image", path),
                   "name the file inside of it"};
    if (!found->second.implied)
      return {};
  }
  entries_.insert_or_assign(*place, std::move(entry));
  return {};
}

Result<void> RootTree::add_same_path(const fs::path& host_path, unsigned more_mode) {
  std::error_code error;
  const auto absolute = fs::absolute(host_path, error).string();
  std::vector<std::pair<std::string, std::string>> links;
  auto real = walk(absolute, true, [&](const std::string& at) {
    auto target = host_link(at);
    if (!target.empty())
      links.emplace_back(at, target);
    return target;
  });
  if (!real)
    return real.error();
  struct stat status = {};
  if (stat(real->c_str(), &status) != 0)
    return file_error(host_path, "read", errno);
  if (!S_ISREG(status.st_mode))
    return file_error(host_path, "read", S_ISDIR(status.st_mode) ? EISDIR : EINVAL);
  for (const auto& [at, target] : links) {
    auto link = link_entry(target);
    struct stat of_link = {};
    if (lstat(at.c_str(), &of_link) == 0)
      take_over(link, of_link);
    TRY(add(at, std::move(link)));
  }
  return add(*real, host_entry(*real, status.st_mode | more_mode));
}

Result<void> RootTree::add_copy(const fs::path& host_path, const std::string& path, CopiedFiles& copied) {
  struct stat status = {};
  if (stat(host_path.c_str(), &status) != 0)
    return file_error(host_path, "read", errno);
  if (S_ISREG(status.st_mode)) {
    copied.files.push_back(host_path);
    return add(path, host_entry(host_path, status.st_mode));
  }
  if (!S_ISDIR(status.st_mode)) {
    copied.skipped.push_back(host_path);
    return {};
  }
  auto folder = folder_entry(status.st_mode & 07777);
  take_over(folder, status);
  TRY(add(path, std::move(folder)));
  std::error_code error;
  for (fs::directory_iterator entry(host_path, error), end; !error && entry != end; entry.increment(error)) {
    const auto name = path + "/" + entry->path().filename().string();
    std::error_code ignored;
    auto added = entry->is_symlink(ignored) ? add_link(entry->path(), name, copied)
                                            : add_copy(entry->path(), name, copied);
    if (!added)
      return added;
  }
  if (error)
    return file_error(host_path, "read", error.value());
  return {};
}

Result<void> RootTree::add_link(const fs::path& host_path, const std::string& path, CopiedFiles& copied) {
  auto link = link_entry(host_link(host_path));
  struct stat status = {};
  if (lstat(host_path.c_str(), &status) == 0)
    take_over(link, status);
  copied.links.push_back({host_path, path});
  return add(path, std::move(link));
}

Result<void> RootTree::follow_links(CopiedFiles& copied) {
  // The list grows while links lead to folders with further links.
  for (std::size_t next = 0; next < copied.links.size(); ++next)
    TRY(follow_link(CopiedLink(copied.links[next]), copied));
  copied.links.clear();
  return {};
}

Result<void> RootTree::follow_link(const CopiedLink& link, CopiedFiles& copied) {
  std::error_code error;
  const auto real = fs::canonical(link.host, error);
  // One that leads nowhere on the host either, or that others have been followed for already.
  if (error || find(link.guest))
    return {};
  // A loop in the tree can be none on the host, if it was made of several folders.
  const auto place = resolve(link.guest, true);
  if (!place || place->empty() || belongs_to_the_kernel(*place) || is_within(*place, "/dev"))
    return {};
  const auto holder = fs::canonical(link.host.parent_path(), error);
  if (!error && is_within(holder.string(), real == "/" ? "" : real.string())) {
    copied.circular.push_back(link);
    return {};
  }
  copied.followed.push_back(link);
  // At its own place it is reached through the same links as on the host.
  if (fs::is_regular_file(real, error) && fs::exists(*place, error) && fs::equivalent(*place, real, error)) {
    copied.files.push_back(real);
    return add_same_path(*place);
  }
  return add_copy(real, *place, copied);
}

void RootTree::replace_owner(unsigned owner, unsigned group, unsigned new_owner, unsigned new_group) {
  for (auto& [path, entry] : entries_) {
    if (entry.owner != owner || entry.settled)
      continue;
    entry.owner = new_owner;
    if (entry.group == group)
      entry.group = new_group;
  }
}

} // namespace ukl
