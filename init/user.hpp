// SPDX-License-Identifier: GPL-2.0-only
// Whom the program runs as.
#pragma once

#include "ukl/manifest.hpp"

#include <sys/types.h>
#include <vector>

namespace ukl::init {

struct User {
  bool given = false; ///< false: root, with whatever it has
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups; ///< supplementary ones, `group` first
};

/// From the settings: UID:GID, or a name, which is looked up in the image's /etc/passwd and /etc/group
/// (passwd(5), group(5)). Ends the machine if there is no such user.
User find_user(const Manifest& settings);
/// The same, but false, with the reason in `why`, if there is no such user.
bool look_up_user(const Manifest& settings, User& user, std::string& why);

} // namespace ukl::init
