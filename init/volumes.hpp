// SPDX-License-Identifier: GPL-2.0-only
// Storage from outside the image: shared folders and disks.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Mounts every volume of the manifest, making its mount point if need be. Ends the machine if one cannot be
/// mounted: a program that writes its data into the void is worse than one that does not start.
void mount_volumes(const Manifest& settings);

/// Unmounts them in reverse order, so that all data is on the host. False (after saying which) if one could
/// not.
bool unmount_volumes();

} // namespace ukl::init
