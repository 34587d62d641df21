// SPDX-License-Identifier: GPL-2.0-only
#include "environment.hpp"

#include <unistd.h>

namespace ukl::init {
namespace {

std::string_view name_of(std::string_view variable) {
  return variable.substr(0, variable.find('='));
}

bool has(const std::vector<std::string>& environment, std::string_view name) {
  for (const auto& variable : environment)
    if (name_of(variable) == name)
      return true;
  return false;
}

} // namespace

std::vector<std::string> make_environment(const Manifest& settings) {
  std::vector<std::string> environment;
  for (auto& variable : values_of(settings, key::environment)) {
    bool replaced = false;
    for (auto& present : environment)
      if (name_of(present) == name_of(variable)) {
        present = variable;
        replaced = true;
      }
    if (!replaced)
      environment.push_back(variable);
  }
  const std::string terminal = "TERM=" + value_of(settings, key::terminal, "dumb");
  for (const char* otherwise :
       {"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", terminal.c_str()})
    if (!has(environment, name_of(otherwise)))
      environment.emplace_back(otherwise);
  return environment;
}

std::string find_program(const std::string& command, const std::vector<std::string>& environment) {
  if (command.find('/') != std::string::npos)
    return command;
  for (const auto& variable : environment) {
    if (name_of(variable) != "PATH")
      continue;
    std::string_view path = std::string_view(variable).substr(5);
    while (!path.empty()) {
      const auto end = path.find(':');
      const std::string file = std::string(path.substr(0, end)) + "/" + command;
      if (access(file.c_str(), X_OK) == 0)
        return file;
      path.remove_prefix(end == std::string_view::npos ? path.size() : end + 1);
    }
  }
  return command;
}

} // namespace ukl::init
