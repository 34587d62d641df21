// SPDX-License-Identifier: GPL-2.0-only
#include "contents/root_defaults.hpp"

#include <filesystem>

namespace ukl {
namespace {

// Coordinated Universal Time as tzfile(5) has it: a header and one kind of time, once for old readers and
// once for new ones, and the rule for all times to come.
std::string utc_zone() {
  std::string part("TZif2", 5);
  part.append(15, '\0');
  // How many there are of: universal-time marks, standard-time marks, leap seconds, changes, kinds of time,
  // characters.
  for (const char count : {0, 0, 0, 0, 1, 4})
    part.append(3, '\0').push_back(count);
  part.append(6, '\0').append("UTC", 4);
  return part + part + "\nUTC0\n";
}

// A folder that is there only because something lies in it takes the default, if that allows no less.
bool gives_way(const TreeEntry* there, const TreeEntry& entry) {
  return !there || (there->implied && entry.type == TreeEntry::Type::folder && (entry.mode & 0755) == 0755);
}

} // namespace

Result<void> add_default_links(RootTree& tree) {
  for (const auto& [path, target] : {std::pair("/var/run", "/run"), std::pair("/var/lock", "/run/lock")})
    if (!tree.entries().contains(path))
      TRY(tree.add(path, link_entry(target)));
  return {};
}

Result<void> add_defaults(RootTree& tree, const std::string& passwd_line, bool of_this_system) {
  std::string passwd = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n";
  std::string group = "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n";
  if (!passwd_line.empty())
    passwd += passwd_line + "\n";

  std::vector<std::pair<const char*, TreeEntry>> defaults = {
      {"/dev", folder_entry(0755)},
      {"/dev/console", device_entry(5, 1, 0600)},
      {"/etc", folder_entry(0755)},
      {"/etc/group", text_entry(group)},
      {"/etc/localtime", link_entry("/usr/share/zoneinfo/Etc/UTC")},
      {"/etc/mtab", link_entry("../proc/self/mounts")},
      {"/etc/nsswitch.conf", text_entry("passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
                                        "services: files\nprotocols: files\n")},
      {"/etc/passwd", text_entry(passwd)},
      {"/proc", folder_entry(0555)},
      {"/root", folder_entry(0700)},
      {"/run", folder_entry(0755)},
      {"/run/lock", folder_entry(01777)},
      {"/sys", folder_entry(0555)},
      {"/tmp", folder_entry(01777)},
      {"/usr/share/zoneinfo/Etc/UTC", text_entry(utc_zone())},
      {"/var/cache", folder_entry(0755)},
      {"/var/lib", folder_entry(0755)},
      {"/var/log", folder_entry(0755)},
      {"/var/tmp", folder_entry(01777)},
  };
  constexpr const char* kRelease = "/usr/lib/os-release";
  if (std::error_code ignored;
      of_this_system && std::filesystem::is_regular_file("/etc/os-release", ignored)) {
    defaults.emplace_back(kRelease, host_entry("/etc/os-release", 0644));
    defaults.emplace_back("/etc/os-release", link_entry("../usr/lib/os-release"));
  }
  for (const auto& [path, entry] : defaults) {
    if (!gives_way(tree.find(path), entry) ||
        (entry.type == TreeEntry::Type::link && tree.entries().contains(path)))
      continue;
    TRY(tree.add(path, entry));
  }
  return {};
}

} // namespace ukl
