// SPDX-License-Identifier: GPL-2.0-only
// Where a start's instructions go, from the processor's first to the machine's end, by function of the
// kernel.
#pragma once

#include "support/result.hpp"

#include <filesystem>
#include <string>

namespace ukl::bench {

struct StartProfilePlan {
  std::filesystem::path tool;    ///< ukl
  std::filesystem::path program; ///< bench/guest/hello
  std::filesystem::path plugin;  ///< profile_plugin.so
};

/// Boots the program once, with the kernel that fits, and returns a table as text: instructions executed, and
/// different ones, each of which QEMU's translator has to translate first. Errors: those of making the image;
/// machine (it did not end in order).
Result<std::string> profile_start(const StartProfilePlan& plan);

} // namespace ukl::bench
