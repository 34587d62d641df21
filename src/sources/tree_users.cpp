// SPDX-License-Identifier: GPL-2.0-only
#include "sources/tree_users.hpp"
#include "contents/file_view.hpp"

#include <charconv>
#include <fmt/format.h>
#include <sstream>

namespace ukl {
namespace {

std::optional<unsigned> number_in(const std::string& text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number == UINT32_MAX)
    return std::nullopt;
  return number;
}

std::vector<std::string> fields_of(const std::string& line) {
  std::vector<std::string> fields;
  for (std::size_t start = 0; start <= line.size();) {
    const auto end = std::min(line.find(':', start), line.size());
    fields.push_back(line.substr(start, end - start));
    start = end + 1;
  }
  return fields;
}

// The first line of a file whose name or number is this one.
std::optional<std::vector<std::string>> find_line(const RootTree& tree, const char* file,
                                                  const std::string& name, std::size_t least) {
  std::istringstream lines(text_in_tree(tree, file).value_or(""));
  std::optional<std::vector<std::string>> by_number;
  for (std::string line; std::getline(lines, line);) {
    auto fields = fields_of(line);
    if (fields.size() < least)
      continue;
    if (fields[0] == name)
      return fields;
    if (!by_number && number_in(name) && fields[2] == name)
      by_number = std::move(fields);
  }
  return by_number;
}

} // namespace

std::optional<TreeUser> find_tree_user(const RootTree& tree, const std::string& name) {
  const auto fields = find_line(tree, "/etc/passwd", name, 6);
  if (!fields)
    return std::nullopt;
  const auto user = number_in((*fields)[2]), group = number_in((*fields)[3]);
  if (!user || !group)
    return std::nullopt;
  return TreeUser{(*fields)[0], *user, *group, (*fields)[5]};
}

Result<std::string> resolve_user(const RootTree& tree, const std::string& text) {
  const auto colon = text.find(':');
  const auto name = text.substr(0, colon);
  const auto known = find_tree_user(tree, name);
  const auto number = known ? std::optional(known->user) : number_in(name);
  if (!number)
    return Error{Failure::usage, fmt::format("the user {} is not in the /etc/passwd of the tree", name),
                 "give numbers: --user UID:GID"};
  if (colon == std::string::npos || colon + 1 == text.size())
    return fmt::format("{}:{}", *number, known ? known->group : 0);
  const auto group_name = text.substr(colon + 1);
  const auto line = find_line(tree, "/etc/group", group_name, 3);
  const auto group = number_in(line ? (*line)[2] : group_name);
  if (!group)
    return Error{Failure::usage, fmt::format("the group {} is not in the /etc/group of the tree", group_name),
                 "give numbers: --user UID:GID"};
  return fmt::format("{}:{}", *number, *group);
}

std::vector<std::string> further_groups(const RootTree& tree, const std::string& text) {
  const auto user = text.find(':') == std::string::npos ? find_tree_user(tree, text) : std::nullopt;
  std::vector<std::string> groups;
  std::istringstream lines(user ? text_in_tree(tree, "/etc/group").value_or("") : "");
  for (std::string line; std::getline(lines, line);) {
    const auto fields = fields_of(line);
    if (fields.size() == 4 && number_in(fields[2]) &&
        ("," + fields[3] + ",").find("," + user->name + ",") != std::string::npos)
      groups.push_back(fields[2]);
  }
  return groups;
}

} // namespace ukl
