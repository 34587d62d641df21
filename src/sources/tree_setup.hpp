// SPDX-License-Identifier: GPL-2.0-only
// What packages do to their files when they are installed, done to a tree.
#pragma once

#include "sources/system_users.hpp"

namespace ukl {

/// Does what a command of a maintainer script says, if it is one of those that make users, folders and links
/// or change owners and modes: adduser and its like, mkdir, install, touch, ln -s, cp of a file, chown,
/// chgrp, chmod, dpkg-statoverride, update-alternatives, ucf, a2enmod and its like. Paths have to be
/// absolute; others are left alone. False if it is another command.
bool set_up(RootTree& tree, SystemUsers& users, const std::vector<std::string>& command);

/// The lines of a file of tmpfiles.d(5) that make folders, files and links.
void set_up_temporary_files(RootTree& tree, const SystemUsers& users, const std::string& text);

/// A folder with owner and group by name (empty: root), with those on the way to it.
void make_folder(RootTree& tree, const SystemUsers& users, const std::string& path, unsigned mode,
                 const std::string& owner, const std::string& group);

/// The configuration files that a package's script names below /etc, which the package does not have, and of
/// which it has exactly one of that name, or an example of it, below /usr/share: there scripts take them
/// from, as they are or changed by answers to questions.
void set_up_configuration(RootTree& tree, const std::string& script, const std::string& package);

} // namespace ukl
