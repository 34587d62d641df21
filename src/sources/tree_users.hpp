// SPDX-License-Identifier: GPL-2.0-only
// The users and groups that a tree's own /etc/passwd and /etc/group name.
#pragma once

#include "contents/root_tree.hpp"

#include <optional>

namespace ukl {

struct TreeUser {
  std::string name;
  unsigned user = 0, group = 0;
  std::string home;
};

/// By name, or by number if it is none.
std::optional<TreeUser> find_tree_user(const RootTree& tree, const std::string& name);

/// `USER`, `USER:GROUP`, each a name or a number, as a container image or a unit names them: `UID:GID`. A
/// number that /etc/passwd does not know has group 0. Error: usage (a name that is not there).
Result<std::string> resolve_user(const RootTree& tree, const std::string& text);
/// Numbers of the groups that /etc/group lists that user in, who is named as above; none where the text names
/// a group, as in a container.
std::vector<std::string> further_groups(const RootTree& tree, const std::string& text);

} // namespace ukl
