// SPDX-License-Identifier: GPL-2.0-only
// Which package files are of: what a system's package manager wrote down, of this machine or in the tree of
// an image. Debian's (/var/lib/dpkg: dpkg(1), and status.d as images without dpkg have it) and Alpine's
// (/lib/apk/db/installed).
#pragma once

#include "contents/file_view.hpp"
#include "contents/package.hpp"

#include <functional>
#include <map>

namespace ukl {

/// Packages by the files that they own.
using Owners = std::map<std::string, std::shared_ptr<const Package>>;

/// The owners of those files for whose paths `wanted` is true. Paths are those of the database, which may
/// lead through links (/lib/x for /usr/lib/x); of a file that was diverted (dpkg-divert(1)) it is where it
/// lies now. What is damaged or no package's name owns nothing.
Owners file_owners(const FileView& view, const std::function<bool(const std::string&)>& wanted);

/// A package as a paragraph of dpkg's says it (status, or the control file of an archive), without licence;
/// `system` as read_system gives it.
struct System {
  std::string distribution, release;
};
System read_system(const FileView& view);
Package package_of_control(std::string_view text, const System& system);

/// What its copyright file says; kNoAssertion if it has none that a machine can read.
std::string licence_of_package(const FileView& view, const std::string& name);

/// Writes the owners of a tree's files into it, by the tree's own database.
void set_owners(RootTree& tree);

/// The owners of files of this machine, by their paths, which may be any. Files of no package are left out.
Owners owners_on_this_machine(const std::vector<std::filesystem::path>& files);

} // namespace ukl
