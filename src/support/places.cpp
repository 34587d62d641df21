// SPDX-License-Identifier: GPL-2.0-only
#include "support/places.hpp"
#include "support/environment.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

Result<std::int64_t> newest_time() {
  const auto text = environment_variable("SOURCE_DATE_EPOCH").value_or("");
  if (text.empty())
    return std::int64_t{UINT32_MAX};
  std::int64_t seconds = 0;
  const auto* end = text.data() + text.size();
  if (const auto read = std::from_chars(text.data(), end, seconds);
      read.ec != std::errc() || read.ptr != end || seconds < 0)
    return Error{Failure::usage, fmt::format("SOURCE_DATE_EPOCH is '{}', which is no time", text),
                 "set it to a number of seconds since 1970, or unset it"};
  return std::min<std::int64_t>(seconds, UINT32_MAX);
}

fs::path path_in(const char* name) {
  return environment_variable(name).value_or("");
}

// XDG Base Directory Specification: what is to outlive a restart, and is of no use on another machine.
fs::path state_folder() {
  if (const auto own = path_in("UKL_STATE"); !own.empty())
    return fs::absolute(own);
  if (const auto all = path_in("XDG_STATE_HOME"); all.is_absolute())
    return all / "ukl";
  return fs::path(home_folder()) / ".local" / "state" / "ukl";
}

} // namespace

fs::path cache_folder() {
  if (const auto own = path_in("UKL_CACHE"); !own.empty())
    return own;
  if (const auto all = path_in("XDG_CACHE_HOME"); !all.empty())
    return all / "ukl";
  return fs::path(home_folder()) / ".cache" / "ukl";
}

Result<Places> read_places() {
  Places places;
  places.installation = find_installation();
  places.search_path = search_path();
  places.machines = state_folder() / "machines";
  places.volumes = state_folder() / "volumes";
  places.networks = state_folder() / "networks";
  places.projects = state_folder() / "projects";
  TRY_LET(places.newest, newest_time());
  return places;
}

} // namespace ukl
