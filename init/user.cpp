// SPDX-License-Identifier: GPL-2.0-only
#include "user.hpp"

#include "ending.hpp"
#include "settings.hpp"

#include <cstdlib>

namespace ukl::init {
namespace {

std::vector<std::string> fields_of(std::string_view line) {
  std::vector<std::string> fields;
  while (true) {
    const auto end = line.find(':');
    fields.emplace_back(line.substr(0, end));
    if (end == std::string_view::npos)
      return fields;
    line.remove_prefix(end + 1);
  }
}

// Calls `take` with each line's fields, until it says that it has enough.
template <typename Take> void read_fields(const char* path, Take take) {
  const std::string text = read_whole(path);
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    if (take(fields_of(std::string_view(text).substr(start, end - start))))
      return;
    start = end + 1;
  }
}

bool to_number(const std::string& text, unsigned& number) {
  char* end = nullptr;
  const unsigned long value = strtoul(text.c_str(), &end, 10);
  number = static_cast<unsigned>(value);
  return !text.empty() && text[0] >= '0' && text[0] <= '9' && *end == '\0' && value < UINT32_MAX;
}

bool lists(const std::string& members, const std::string& name) {
  return ("," + members + ",").find("," + name + ",") != std::string::npos;
}

bool look_up_name(const std::string& name, User& user, std::string& why) {
  read_fields("/etc/passwd", [&](const std::vector<std::string>& fields) {
    user.given = fields.size() >= 4 && fields[0] == name && to_number(fields[2], user.user) &&
                 to_number(fields[3], user.group);
    return user.given;
  });
  if (!user.given) {
    why = "the image's /etc/passwd has no user " + name;
    return false;
  }
  user.groups = {user.group};
  read_fields("/etc/group", [&](const std::vector<std::string>& fields) {
    unsigned group = 0;
    if (fields.size() >= 4 && lists(fields[3], name) && to_number(fields[2], group) && group != user.group)
      user.groups.push_back(group);
    return false;
  });
  return true;
}

} // namespace

bool look_up_user(const Manifest& settings, User& user, std::string& why) {
  const std::string text = value_of(settings, key::user);
  const auto more = values_of(settings, key::group);
  user = {};
  if (text.empty() && more.empty())
    return true;
  const auto numbers = fields_of(text.empty() ? "0:0" : text);
  if (numbers.size() == 2 && to_number(numbers[0], user.user) && to_number(numbers[1], user.group)) {
    user.given = true;
    user.groups = {user.group};
  } else if (numbers.size() != 1) {
    why = "a user is UID:GID or a name, not '" + text + "'";
    return false;
  } else if (!look_up_name(text, user, why)) {
    return false;
  }
  for (const auto& group : more)
    if (unsigned number = 0; to_number(group, number))
      user.groups.push_back(number);
  return true;
}

User find_user(const Manifest& settings) {
  User user;
  std::string why;
  if (!look_up_user(settings, user, why))
    fail(why);
  return user;
}

} // namespace ukl::init
