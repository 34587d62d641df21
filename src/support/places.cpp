// SPDX-License-Identifier: GPL-2.0-only
#include "support/places.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

namespace ukl {
namespace {

Result<std::int64_t> newest_time() {
  const char* text = std::getenv("SOURCE_DATE_EPOCH");
  if (!text || !*text)
    return std::int64_t{UINT32_MAX};
  std::int64_t seconds = 0;
  const auto* end = text + std::strlen(text);
  if (const auto read = std::from_chars(text, end, seconds);
      read.ec != std::errc() || read.ptr != end || seconds < 0)
    return Error{Failure::usage, fmt::format("SOURCE_DATE_EPOCH is '{}', which is no time", text),
                 "set it to a number of seconds since 1970, or unset it"};
  return std::min<std::int64_t>(seconds, UINT32_MAX);
}

// XDG Base Directory Specification: what is to outlive a restart, and is of no use on another machine.
std::filesystem::path state_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return std::filesystem::path(value ? value : "");
  };
  if (const auto own = variable("UKL_STATE"); !own.empty())
    return std::filesystem::absolute(own);
  if (const auto all = variable("XDG_STATE_HOME"); all.is_absolute())
    return all / "ukl";
  auto home = variable("HOME");
  // A service manager may start us without HOME.
  if (const passwd* user = home.empty() ? getpwuid(getuid()) : nullptr)
    home = user->pw_dir;
  return home / ".local" / "state" / "ukl";
}

} // namespace

Result<Places> read_places() {
  Places places;
  places.installation = find_installation();
  const char* path = std::getenv("PATH");
  places.search_path = path ? path : "/usr/bin:/bin";
  places.machines = state_folder() / "machines";
  places.volumes = state_folder() / "volumes";
  TRY_LET(places.newest, newest_time());
  return places;
}

} // namespace ukl
