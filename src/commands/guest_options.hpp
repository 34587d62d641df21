// SPDX-License-Identifier: GPL-2.0-only
// The options about what the program finds in its machine, which `ukl pack` has for an image's defaults and
// `ukl run` for one run.
#pragma once

#include "image/guest_settings.hpp"

#include <CLI/CLI.hpp>

namespace ukl {

/// What applies if an option is not given, for the help text: a default of our own, or what the image has.
enum class GuestDefaults { own, of_image };

/// Adds --cwd, --user, --hostname, those of the network, --limit and --sysctl; not --env, of which the two
/// have different forms.
void add_guest_options(CLI::App& command, GuestSettings& settings, GuestDefaults defaults);

} // namespace ukl
