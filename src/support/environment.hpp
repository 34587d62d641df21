// SPDX-License-Identifier: GPL-2.0-only
// The environment of this process. Nothing else reads it (scripts/check-rooms looks), so this and places.hpp
// name all that decides what ukl does besides its command line.
#pragma once

#include <optional>
#include <string>

namespace ukl {

/// Nothing if it is not set.
std::optional<std::string> environment_variable(const std::string& name);

/// Its value; `otherwise` if it is not set, or empty.
std::string variable_or(const std::string& name, const std::string& otherwise);

/// $PATH, or what a process without one gets.
std::string search_path();
/// $HOME, or what /etc/passwd says: a service manager may start us without it.
std::string home_folder();
/// $TMPDIR, or /tmp.
std::string temporary_base();
/// $TERM; empty: not known.
std::string terminal_type();
/// Whether the user wants no colours (no-color.org).
bool no_colour_wanted();

} // namespace ukl
