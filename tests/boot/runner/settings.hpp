// SPDX-License-Identifier: GPL-2.0-only
// Where the runner works and what it was asked to do.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace boot {

struct Settings {
  std::filesystem::path ukl;    ///< the tool under test
  std::filesystem::path source; ///< tests/boot
  std::filesystem::path build;  ///< compiled programs, images, unpacked packages, logs
  std::string kernel;           ///< a vmlinux in place of a profile's own (`ukl pack --kernel`), or empty
  std::string kernel_profile = "general"; ///< that profile
  std::string profile;                    ///< runs every test under this profile; empty: the test's own
  bool long_run = false;
  bool only_make = false; ///< make the images and boot none
};

/// How one result is reported.
struct Outcome {
  enum class Kind { passed, failed, skipped } kind = Kind::passed;
  std::string name;
  std::string detail; ///< one line
  std::string log;    ///< what to show below a failure
};

/// Names in braces that the .boot files may use, such as {build}.
using Names = std::map<std::string, std::string>;

/// Replaces every `{name}` that is known; the rest stays as it is.
std::string substitute(std::string text, const Names& names);
std::vector<std::string> substitute(std::vector<std::string> words, const Names& names);

} // namespace boot
