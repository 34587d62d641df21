// SPDX-License-Identifier: GPL-2.0-only
// What the surroundings of this process say, read once by a command and passed down from there.
#pragma once

#include "support/installation.hpp"

#include <cstdint>
#include <filesystem>
#include <string>

namespace ukl {

struct Places {
  Installation installation;
  std::string search_path;          ///< folders of programs, as $PATH has them
  std::filesystem::path machines;   ///< where machines have their records
  std::filesystem::path volumes;    ///< where volumes with names lie
  std::filesystem::path networks;   ///< where private networks have their sockets
  std::filesystem::path projects;   ///< what projects have made of their files
  std::int64_t newest = UINT32_MAX; ///< no file of an image is younger: seconds since 1970
};

/// What can be made or fetched again: $UKL_CACHE, else $XDG_CACHE_HOME/ukl, else ~/.cache/ukl.
std::filesystem::path cache_folder();

/// Reads them: find_installation(), $PATH, $UKL_STATE or else $XDG_STATE_HOME/ukl or ~/.local/state/ukl, and
/// $SOURCE_DATE_EPOCH (reproducible-builds.org). Error: usage (that is no time).
Result<Places> read_places();

} // namespace ukl
