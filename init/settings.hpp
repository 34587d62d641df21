// SPDX-License-Identifier: GPL-2.0-only
// What this boot is to do: the image's manifest, over it what this run asks for (ukl/run_settings.hpp), and
// over that the words on the kernel's command line, for machines that are started by hand.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// The manifest with the run's additions worked in as include/ukl/manifest.hpp says. Needs /proc and /sys.
/// Ends the machine if the manifest is missing or of another format.
Manifest read_settings();

/// The run's additions alone, which are there even if the image has no readable manifest. They are read once;
/// then only root can read them in /sys.
const Manifest& read_run_settings();

/// Further settings of this run go over the others, and are the run's own from then on. Gives all, as
/// read_settings() does.
Manifest take_run_settings(const Manifest& more);

/// What the machine's surroundings say (cloud.hpp) goes over the image's settings, and under this run's.
/// Gives all, as read_settings() does.
Manifest take_cloud_settings(const Manifest& said);

/// A file's whole content; empty if it cannot be read (errno says why).
std::string read_whole(const char* path);

} // namespace ukl::init
