// SPDX-License-Identifier: GPL-2.0-only
// strace(1) around an image's program: this machine's own strace and its libraries come along as files of the
// run, in a folder of their own, so that the image is as it was.
#pragma once

#include "support/result.hpp"
#include "ukl/manifest.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ukl {

struct StraceOptions {
  bool follow = false;  ///< -f: threads and children too
  bool count = false;   ///< -c: a table at the end
  std::string calls;    ///< -e trace=…; empty: all
  bool to_file = false; ///< into kTraceFile of the guest in place of the program's standard error
};

/// Where a volume has to lie for `to_file`.
inline constexpr const char* kTraceFile = "/.ukl/strace/out";

/// Settings of a run that lead to it. Errors: missing_tool (no strace on this machine), missing_library,
/// unreadable.
Result<Manifest> strace_settings(const StraceOptions& options);

/// A file that strace needs in the machine.
struct StraceFile {
  std::filesystem::path host;
  std::string guest; ///< below kStraceFolder
};
inline constexpr const char* kStraceFolder = "/.ukl/strace/";

/// strace and the libraries that it loads, and the words that start it there. Errors: those of
/// strace_settings.
struct Strace {
  std::vector<StraceFile> files;
  std::vector<std::string> words;
};
Result<Strace> find_strace(const StraceOptions& options);

} // namespace ukl
