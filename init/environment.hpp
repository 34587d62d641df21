// SPDX-License-Identifier: GPL-2.0-only
// The program's environment, and finding the program by it.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// `NAME=value` texts: the manifest's in order (a later one of the same name replaces an earlier one), and
/// defaults for PATH, HOME and TERM where it has none.
std::vector<std::string> make_environment(const Manifest& settings);

/// The file that a command stands for: itself if it has a slash, else the first that may be executed in the
/// environment's PATH, else itself.
std::string find_program(const std::string& command, const std::vector<std::string>& environment);

} // namespace ukl::init
