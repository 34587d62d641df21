// SPDX-License-Identifier: GPL-2.0-only
// The users and groups of a root that is made of packages: Debian's own, and those that its packages ask for.
#pragma once

#include "contents/root_tree.hpp"

#include <optional>
#include <string>
#include <vector>

namespace ukl {

struct SystemUser {
  std::string name;
  unsigned user = 0, group = 0;
  std::string comment, home, shell;
};

class SystemUsers {
public:
  /// Begins with the lines of passwd(5) and group(5).
  SystemUsers(const std::string& passwd, const std::string& group);

  /// Adds a group, unless there is one of that name. Without a number it gets the first free one from 100 up.
  unsigned add_group(const std::string& name, std::optional<unsigned> number = std::nullopt);
  /// Adds a user, unless there is one of that name.
  void add_user(SystemUser user, std::optional<unsigned> number = std::nullopt);
  /// Makes a user a member of a group.
  void add_member(const std::string& user, const std::string& group);

  const SystemUser* find_user(const std::string& name) const;
  std::optional<unsigned> find_group(const std::string& name) const;

  /// What adduser, addgroup, useradd and groupadd with these arguments (the first is the command) would do.
  /// A user whose home is to be made is returned. False if it is another command.
  bool run(const std::vector<std::string>& command, std::optional<SystemUser>& with_home);
  /// The lines of a file of sysusers.d(5).
  void read_sysusers(const std::string& text);

  std::string passwd() const;
  std::string group() const;

private:
  struct Group {
    std::string name;
    unsigned number = 0;
    std::string members;
  };
  unsigned free_user() const;
  unsigned free_group() const;
  std::vector<SystemUser> users_;
  std::vector<Group> groups_;
};

} // namespace ukl
