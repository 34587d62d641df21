// SPDX-License-Identifier: GPL-2.0-only
#include "payload.hpp"

#include <fmt/format.h>

namespace ukl {

Result<void> add_defaults(RootTree& tree, const std::string& hostname, const std::vector<std::string>& dns,
                          const std::string& passwd_line) {
  std::string servers;
  for (const auto& server : dns)
    servers += fmt::format("nameserver {}\n", server);
  std::string passwd = "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/bin/false\n";
  std::string group = "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n";
  if (!passwd_line.empty())
    passwd += passwd_line + "\n";

  const std::pair<const char*, TreeEntry> defaults[] = {
      {"/dev", folder_entry(0755)},
      {"/dev/console", device_entry(5, 1, 0600)},
      {"/etc", folder_entry(0755)},
      {"/etc/group", text_entry(group)},
      {"/etc/hostname", text_entry(hostname + "\n")},
      {"/etc/hosts", text_entry(fmt::format("127.0.0.1 localhost {0}\n::1 localhost {0}\n", hostname))},
      {"/etc/nsswitch.conf", text_entry("passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"
                                        "services: files\nprotocols: files\n")},
      {"/etc/passwd", text_entry(passwd)},
      {"/etc/resolv.conf", text_entry(servers)},
      {"/proc", folder_entry(0555)},
      {"/root", folder_entry(0700)},
      {"/run", folder_entry(0755)},
      {"/sys", folder_entry(0555)},
      {"/tmp", folder_entry(01777)},
      {"/var/tmp", folder_entry(01777)},
  };
  for (const auto& [path, entry] : defaults) {
    if (tree.find(path))
      continue;
    if (auto added = tree.add(path, entry); !added)
      return added;
  }
  return {};
}

} // namespace ukl
