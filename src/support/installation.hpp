// SPDX-License-Identifier: GPL-2.0-only
// Where the parts of ukl lie that are not in the tool itself.
#pragma once

#include "support/result.hpp"

#include <filesystem>

namespace ukl {

/// The folders of one installation. Nothing here is checked to exist.
struct Installation {
  std::filesystem::path init;    ///< PID 1 of every image, a static ELF file
  std::filesystem::path kernel;  ///< profiles/, patches/ and files/
  std::filesystem::path include; ///< headers for programs: <ukl/…>
};

/// $UKL_HOME if set (laid out as `make install` does: ukl-init, kernel/, include/). Else, for a tool in its
/// CMake build folder, that folder's ukl-init and the source tree it was configured from
/// (CMAKE_HOME_DIRECTORY in CMakeCache.txt). Else share/ukl beside the tool's bin folder. Else <install
/// prefix>/share/ukl.
Installation find_installation();

/// The same for a tool at `tool` (symbolic links resolved) and $UKL_HOME = `home` (empty: not set).
Installation find_installation(const std::filesystem::path& tool, const std::filesystem::path& home);

} // namespace ukl
