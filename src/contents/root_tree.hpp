// SPDX-License-Identifier: GPL-2.0-only
// The files of an image before they are packed: paths as the program will see them, and where each comes
// from.
#pragma once

#include "contents/package.hpp"
#include "support/files.hpp"

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

namespace ukl {

/// One entry of the tree. What the tool makes belongs to root and has no time; what comes from the host keeps
/// the host's, so the same inputs give the same bytes.
struct TreeEntry {
  enum class Type { folder, link, file, device };
  Type type = Type::folder;
  unsigned mode = 0755;            ///< permission bits, with set-user-ID and the like
  unsigned owner = 0, group = 0;   ///< numbers, as on the host
  std::int64_t time = 0;           ///< of the last change, seconds since 1970
  std::string target;              ///< of a link
  std::filesystem::path host_path; ///< of a file; empty: `contents` holds it
  Bytes contents;                  ///< of a file made by the tool
  /// Of a host's file that goes into the image changed: what it holds there. All its names share it.
  std::shared_ptr<const Bytes> changed;
  std::string capability; ///< of a file: what it may do (file_capability.hpp); empty: no more than others
  unsigned major = 0, minor = 0; ///< of a character device
  /// A file of the host that has several names: its device and inode there. Entries that share them are one
  /// file in the image too. Both 0: a file of its own.
  std::uint64_t host_device = 0, host_inode = 0;
  bool implied = false; ///< a folder that nobody named: it was only on the way to something
  /// Owner and group are numbers of the image's own, not of this machine: replace_owner leaves them alone.
  bool settled = false;
  std::shared_ptr<const Package> package; ///< of which a file is, where its source says so
};

TreeEntry folder_entry(unsigned mode);
TreeEntry link_entry(std::string target);
TreeEntry text_entry(std::string_view text, unsigned mode = 0644);
/// A file of the host with its owner, group and time, as far as it can be looked at now.
TreeEntry host_entry(std::filesystem::path host_path, unsigned mode);
TreeEntry device_entry(unsigned major, unsigned minor, unsigned mode);

/// A symbolic link that was copied.
struct CopiedLink {
  std::filesystem::path host; ///< where it is on the host
  std::string guest;          ///< where it is in the tree
};

/// What RootTree::add_copy and RootTree::follow_links met on the host.
struct CopiedFiles {
  std::vector<std::filesystem::path> files;   ///< regular files
  std::vector<std::filesystem::path> skipped; ///< sockets, pipes and devices, which do not go into an image
  std::vector<CopiedLink> links;              ///< not yet looked at by follow_links
  std::vector<CopiedLink> followed;           ///< led out of what was copied: what they lead to was added
  std::vector<CopiedLink> circular;           ///< lead to a folder that holds themselves, which was not added
};

/// A tree of files. Paths are absolute and may hold any bytes but NUL. A path that leads through a link of
/// the tree is followed as Linux would, so /lib/x lies in /usr/lib if the tree holds the link /lib ->
/// usr/lib. Folders on the way are made with mode 0755, /tmp and /var/tmp with 01777.
class RootTree {
public:
  /// All entries by path, without the root itself; parents come before what they hold.
  const std::map<std::string, TreeEntry>& entries() const { return entries_; }

  /// Adds or replaces one entry; a folder that is there already, also behind a link, stays as it is, unless
  /// it is there only because something lies in it. Error: usage (a path that is not absolute, a file where a
  /// folder is needed, or a place where the kernel's own file systems will be mounted).
  Result<void> add(const std::string& path, TreeEntry entry);

  /// Puts one entry over what is there, as an archive is unpacked over a root: whatever has that name gives
  /// way with all it holds, but a folder keeps what it holds where a folder comes, which gives it its mode
  /// and owner. `keep_links`: a link to a folder stays where a folder comes, as dpkg does it. False if the
  /// place is one where Linux shows its own files: nothing is put there. Errors: as add.
  Result<bool> put(const std::string& path, TreeEntry entry, bool keep_links = false);

  /// Removes what has this name, a link itself and a folder with all it holds; links on the way are followed.
  void remove(const std::string& path);

  /// Removes what the folder of this name holds. Links are followed.
  void clear(const std::string& path);

  /// Adds a host's file with its name: each symbolic link on the way to it is kept as it is on the host, and
  /// the file lies where the host has it. `more_mode` is added to its permission bits. Errors: not_found,
  /// unreadable, usage.
  Result<void> add_same_path(const std::filesystem::path& host_path, unsigned more_mode = 0);

  /// Adds a host's file or folder, with all it holds, under another name. Links inside are kept, `host_path`
  /// itself is followed. Errors: not_found, unreadable, usage.
  Result<void> add_copy(const std::filesystem::path& host_path, const std::string& path, CopiedFiles& copied);

  /// Adds what `copied.links` lead to where the tree does not have it and the host does, and so on for links
  /// in that. To be called when all else has been added. Errors: as add_copy.
  Result<void> follow_links(CopiedFiles& copied);

  /// Gives what belongs to one user to another, and of that what belongs to the one's group to the other's.
  void replace_owner(unsigned owner, unsigned group, unsigned new_owner, unsigned new_group);

  /// Gives the host's file at `path`, which the tree has, other contents in the image, under all its names.
  void change_contents(const std::string& path, Bytes contents);

  /// Says of which package the file with this name is; links on the way are followed.
  void set_package(const std::string& path, std::shared_ptr<const Package> package);

  /// The entry that a path leads to, links followed; null if there is none.
  const TreeEntry* find(const std::string& path) const;

  /// The entry that has this name, which may be a link; links on the way are followed. Null if there is none.
  const TreeEntry* find_name(const std::string& path) const;

  /// The path without links; as it is if they go in circles.
  std::string real_path(const std::string& path) const;

  /// Says that two names mean one file (a hard link): both then have the same device and inode.
  void mark_shared(const std::string& path);

private:
  Result<void> add_link(const std::filesystem::path& host_path, const std::string& path, CopiedFiles& copied);
  Result<void> follow_link(const CopiedLink& link, CopiedFiles& copied);
  Result<std::string> resolve(const std::string& path, bool follow_last) const;
  void erase_below(const std::string& place);
  std::map<std::string, TreeEntry> entries_;
};

} // namespace ukl
