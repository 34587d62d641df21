// SPDX-License-Identifier: GPL-2.0-only
// A run's settings on their way to QEMU: in memory, since they may be secret.
#pragma once

#include "support/files.hpp"
#include "ukl/manifest.hpp"

namespace ukl {

/// A file without a name (memfd_create(2)) that holds the settings as include/ukl/run_settings.hpp says.
/// Error: unwritable.
Result<FileDescriptor> settings_block(const Manifest& settings);

} // namespace ukl
