// SPDX-License-Identifier: GPL-2.0-only
// What this boot is to do: the image's manifest, and over it the words on the kernel's command line.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// The manifest with the command line's additions worked in as include/ukl/manifest.hpp says. Needs /proc.
/// Ends the machine if the manifest is missing or of another format.
Manifest read_settings();

/// A file's whole content; empty if it cannot be read (errno says why).
std::string read_whole(const char* path);

} // namespace ukl::init
