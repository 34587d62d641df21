// SPDX-License-Identifier: GPL-2.0-only
#include "sources/system_users.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <map>
#include <sstream>

namespace ukl {
namespace {

constexpr unsigned kFirst = 100; ///< of the numbers that Debian gives to packages' users and groups
constexpr unsigned kNoGroup = 65534;

std::optional<unsigned> number_in(const std::string& text) {
  unsigned number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

std::vector<std::string> split(const std::string& text, char divider) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, divider);)
    parts.push_back(part);
  return parts;
}

bool is_user_name(const std::string& name) {
  return !name.empty() && name.size() < 32 && !name.starts_with('-') &&
         std::ranges::all_of(name, [](unsigned char c) {
           return c < 128 && (std::isalnum(c) || c == '-' || c == '_' || c == '.');
         });
}

// No field of passwd(5) may end the line or the field.
std::string field(std::string text) {
  std::erase_if(text, [](char c) { return c == ':' || c == '\n'; });
  return text;
}

// Options of adduser and useradd that have a value, by what they mean.
const std::map<std::string, std::string>& options_with_values() {
  static const std::map<std::string, std::string> options = {
      {"--home", "home"},     {"--home-dir", "home"},   {"-d", "home"},
      {"--shell", "shell"},   {"-s", "shell"},          {"--gecos", "comment"},
      {"-c", "comment"},      {"--comment", "comment"}, {"--uid", "uid"},
      {"-u", "uid"},          {"--gid", "gid"},         {"-g", "gid"},
      {"--ingroup", "gid"},   {"--firstuid", "unused"}, {"-G", "groups"},
      {"--groups", "groups"}, {"--conf", "unused"},     {"-K", "unused"}};
  return options;
}

} // namespace

SystemUsers::SystemUsers(const std::string& passwd, const std::string& group) {
  for (const auto& line : split(passwd, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 6 || !number_in(fields[2]) || !number_in(fields[3]))
      continue;
    users_.push_back({fields[0], *number_in(fields[2]), *number_in(fields[3]), fields[4], fields[5],
                      fields.size() > 6 ? fields[6] : ""});
  }
  for (const auto& line : split(group, '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() >= 3 && number_in(fields[2]))
      groups_.push_back({fields[0], *number_in(fields[2]), fields.size() > 3 ? fields[3] : ""});
  }
}

const SystemUser* SystemUsers::find_user(const std::string& name) const {
  const auto found = std::ranges::find(users_, name, &SystemUser::name);
  return found == users_.end() ? nullptr : &*found;
}

std::optional<unsigned> SystemUsers::find_group(const std::string& name) const {
  const auto found = std::ranges::find(groups_, name, &Group::name);
  return found == groups_.end() ? std::nullopt : std::optional(found->number);
}

unsigned SystemUsers::free_user() const {
  unsigned number = kFirst;
  while (std::ranges::find(users_, number, &SystemUser::user) != users_.end())
    ++number;
  return number;
}

unsigned SystemUsers::free_group() const {
  unsigned number = kFirst;
  while (std::ranges::find(groups_, number, &Group::number) != groups_.end())
    ++number;
  return number;
}

unsigned SystemUsers::add_group(const std::string& name, std::optional<unsigned> number) {
  if (const auto known = find_group(name))
    return *known;
  const auto given = number.value_or(free_group());
  if (is_user_name(name))
    groups_.push_back({name, given, ""});
  return given;
}

void SystemUsers::add_user(SystemUser user, std::optional<unsigned> number) {
  if (!is_user_name(user.name) || find_user(user.name))
    return;
  user.user = number.value_or(free_user());
  users_.push_back(std::move(user));
}

void SystemUsers::add_member(const std::string& user, const std::string& group) {
  const auto found = std::ranges::find(groups_, group, &Group::name);
  if (found != groups_.end() && is_user_name(user) &&
      ("," + found->members + ",").find("," + user + ",") == std::string::npos)
    found->members += (found->members.empty() ? "" : ",") + user;
}

bool SystemUsers::run(const std::vector<std::string>& command, std::optional<SystemUser>& with_home) {
  const auto name = command[0].substr(command[0].rfind('/') + 1);
  const bool groups_only = name == "addgroup" || name == "groupadd";
  if (!groups_only && name != "adduser" && name != "useradd")
    return false;
  std::map<std::string, std::string> values;
  std::vector<std::string> names;
  bool own_group = false, home = name == "adduser";
  for (std::size_t i = 1; i < command.size(); ++i) {
    const auto& word = command[i];
    const auto equals = word.starts_with("--") ? word.find('=') : std::string::npos;
    const auto option = options_with_values().find(word.substr(0, equals));
    if (option != options_with_values().end()) {
      if (equals != std::string::npos)
        values[option->second] = word.substr(equals + 1);
      else if (i + 1 < command.size())
        values[option->second] = command[++i];
    } else if (word.starts_with('-')) {
      own_group = own_group || word == "--group" || word == "-U" || word == "--user-group";
      home = (home && word != "--no-create-home" && word != "-M") || word == "-m" || word == "--create-home";
    } else {
      names.push_back(word);
    }
  }
  if (names.empty())
    return true;
  if (groups_only) {
    add_group(names[0], number_in(values["gid"]));
    return true;
  }
  if (names.size() == 2) {
    add_member(names[0], names[1]);
    return true;
  }
  if (find_user(names[0]))
    return true;
  SystemUser user{
      names[0], 0, kNoGroup, field(values["comment"]), field(values["home"]), field(values["shell"])};
  if (const auto& group = values["gid"]; !group.empty()) {
    const auto number = number_in(group);
    user.group = number ? *number : add_group(group);
  } else if (own_group || name == "useradd") {
    user.group = add_group(user.name);
  }
  if (user.home.empty())
    user.home = name == "adduser" ? "/nonexistent" : "/home/" + user.name;
  if (user.shell.empty())
    user.shell = "/usr/sbin/nologin";
  add_user(user, number_in(values["uid"]));
  for (const auto& group : split(values["groups"], ','))
    add_member(user.name, group);
  if (const auto* added = find_user(user.name); added && home && user.home != "/nonexistent")
    with_home = *added;
  return true;
}

void SystemUsers::read_sysusers(const std::string& text) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> words;
    std::istringstream stream(line);
    std::string word;
    while (stream >> std::ws && !stream.eof()) {
      if (stream.peek() == '"') {
        stream.get();
        std::getline(stream, word, '"');
      } else {
        stream >> word;
      }
      words.push_back(word == "-" ? "" : word);
    }
    if (words.size() < 2 || words[0].starts_with('#'))
      continue;
    words.resize(6);
    const auto colon = words[2].find(':');
    const auto number = number_in(words[2].substr(0, colon));
    if (words[0].starts_with('g')) {
      add_group(words[1], number);
    } else if (words[0].starts_with('m')) {
      add_group(words[2]);
      add_member(words[1], words[2]);
    } else if (words[0].starts_with('u')) {
      const auto given = colon == std::string::npos ? std::string() : words[2].substr(colon + 1);
      const auto group_number = number_in(given);
      const auto group = group_number    ? *group_number
                         : given.empty() ? add_group(words[1], number)
                                         : add_group(given);
      add_user({words[1], 0, group, field(words[3]), words[4].empty() ? "/" : field(words[4]),
                words[5].empty() ? "/usr/sbin/nologin" : field(words[5])},
               number);
    }
  }
}

std::string SystemUsers::passwd() const {
  std::string text;
  for (const auto& user : users_)
    text += fmt::format("{}:x:{}:{}:{}:{}:{}\n", user.name, user.user, user.group, user.comment, user.home,
                        user.shell);
  return text;
}

std::string SystemUsers::group() const {
  std::string text;
  for (const auto& group : groups_)
    text += fmt::format("{}:x:{}:{}\n", group.name, group.number, group.members);
  return text;
}

} // namespace ukl
