// SPDX-License-Identifier: GPL-2.0-only
// The file systems that every Linux program expects.
#pragma once

namespace ukl::init {

/// /proc, /sys, /dev with its links, /dev/pts, /dev/shm, /run, and /tmp unless the root tree brings one.
/// Ends the machine if one of them cannot be mounted.
void mount_file_systems();

} // namespace ukl::init
