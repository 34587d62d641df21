// SPDX-License-Identifier: GPL-2.0-only
#include "support/environment.hpp"

#include <cstdlib>
#include <pwd.h>
#include <unistd.h>

namespace ukl {

std::optional<std::string> environment_variable(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value ? std::optional<std::string>(value) : std::nullopt;
}

std::string variable_or(const std::string& name, const std::string& otherwise) {
  const auto value = environment_variable(name).value_or("");
  return value.empty() ? otherwise : value;
}

std::string search_path() {
  return environment_variable("PATH").value_or("/usr/bin:/bin");
}

std::string home_folder() {
  const auto home = variable_or("HOME", "");
  const passwd* user = home.empty() ? getpwuid(getuid()) : nullptr;
  return user ? user->pw_dir : home;
}

std::string temporary_base() {
  return variable_or("TMPDIR", "/tmp");
}

std::string terminal_type() {
  return variable_or("TERM", "");
}

bool no_colour_wanted() {
  return environment_variable("NO_COLOR").has_value();
}

} // namespace ukl
