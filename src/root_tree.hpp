// SPDX-License-Identifier: GPL-2.0-only
// The files of an image before they are packed: paths as the program will see them, and where each comes
// from.
#pragma once

#include "support/files.hpp"

#include <map>
#include <string>
#include <variant>
#include <vector>

namespace ukl {

/// One entry of the tree. Owner and group are always root, and times are always 0, so that the same inputs
/// give the same bytes.
struct TreeEntry {
  enum class Type { folder, link, file, device };
  Type type = Type::folder;
  unsigned mode = 0755;            ///< permission bits, with set-user-ID and the like
  std::string target;              ///< of a link
  std::filesystem::path host_path; ///< of a file; empty: `contents` holds it
  Bytes contents;                  ///< of a file made by the tool
  unsigned major = 0, minor = 0;   ///< of a character device
};

TreeEntry folder_entry(unsigned mode);
TreeEntry link_entry(std::string target);
TreeEntry text_entry(std::string_view text, unsigned mode = 0644);
TreeEntry host_entry(std::filesystem::path host_path, unsigned mode);
TreeEntry device_entry(unsigned major, unsigned minor, unsigned mode);

/// What RootTree::add_copy met on the host.
struct CopiedFiles {
  std::vector<std::filesystem::path> files;   ///< regular files
  std::vector<std::filesystem::path> skipped; ///< sockets, pipes and devices, which do not go into an image
};

/// A tree of files. Paths are absolute and may hold any bytes but NUL. A path that leads through a link of
/// the tree is followed as Linux would, so /lib/x lies in /usr/lib if the tree holds the link /lib ->
/// usr/lib. Folders on the way are made with mode 0755, /tmp and /var/tmp with 01777.
class RootTree {
public:
  /// All entries by path, without the root itself; parents come before what they hold.
  const std::map<std::string, TreeEntry>& entries() const { return entries_; }

  /// Adds or replaces one entry; a folder that is there already, also behind a link, stays as it is. Error:
  /// usage (a path that is not absolute, or a file where a folder is needed).
  Result<void> add(const std::string& path, TreeEntry entry);

  /// Adds a host's file with its name: each symbolic link on the way to it is kept as it is on the host, and
  /// the file lies where the host has it. `more_mode` is added to its permission bits. Errors: not_found,
  /// unreadable, usage.
  Result<void> add_same_path(const std::filesystem::path& host_path, unsigned more_mode = 0);

  /// Adds a host's file or folder, with all it holds, under another name. Links inside are kept, `host_path`
  /// itself is followed. Errors: not_found, unreadable, usage.
  Result<void> add_copy(const std::filesystem::path& host_path, const std::string& path, CopiedFiles& copied);

  /// The entry that a path leads to, links followed; null if there is none.
  const TreeEntry* find(const std::string& path) const;

private:
  Result<std::string> resolve(const std::string& path, bool follow_last) const;
  std::map<std::string, TreeEntry> entries_;
};

} // namespace ukl
