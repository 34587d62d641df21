// SPDX-License-Identifier: GPL-2.0-only
// The file systems that every Linux program expects.
#pragma once

#include <string>

namespace ukl::init {

/// A root tree that may fill the machine's memory, and /proc, /sys, /dev with its links, /dev/pts, /dev/shm.
/// What the image brings in /dev is there too. Ends the machine if something cannot be mounted.
void mount_file_systems();

/// Ends the machine if Linux could not unpack all of the image.
void check_root_tree();

/// Makes a folder and those that it lies in, where they are missing.
void make_folders(const std::string& path);

} // namespace ukl::init
