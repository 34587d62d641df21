// SPDX-License-Identifier: GPL-2.0-only
// Where a program and its libraries are looked for: on this machine, or in the tree of an image.
#pragma once

#include "contents/root_tree.hpp"

#include <memory>
#include <optional>

namespace ukl {

/// Files by the names that the program sees. Paths are absolute, links on the way are followed.
class FileView {
public:
  virtual ~FileView() = default;
  /// The file of this machine that holds what the regular file at `path` does; nothing if there is none.
  virtual std::optional<std::filesystem::path> file(const std::filesystem::path& path) const = 0;
  /// True if the regular file at `path` may be executed by somebody (in a tree) or by us (on this machine).
  virtual bool is_executable(const std::filesystem::path& path) const = 0;
  /// `path` without links; as it is where it leads nowhere.
  virtual std::filesystem::path real(const std::filesystem::path& path) const = 0;
  /// The text of a small file; nothing if there is none.
  virtual std::optional<std::string> text(const std::filesystem::path& path) const = 0;
  /// The files that a pattern means (glob(7)), sorted.
  virtual std::vector<std::filesystem::path> matching(const std::string& pattern) const = 0;
};

/// This machine's own files.
std::shared_ptr<const FileView> view_of_machine();

/// The files of a tree, which has to outlive the view.
std::shared_ptr<const FileView> view_of_tree(const RootTree& tree);

/// What `first` has, and beside it what `second` has.
std::shared_ptr<const FileView> view_of_both(std::shared_ptr<const FileView> first,
                                             std::shared_ptr<const FileView> second);

/// What a file of a tree holds, links followed; nothing if there is none, or if it is larger than 4 MiB.
std::optional<std::string> text_in_tree(const RootTree& tree, const std::string& path);

} // namespace ukl
