// SPDX-License-Identifier: GPL-2.0-only
// The files that a run brings with it: configuration and secrets (ukl/run_settings.hpp).
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Writes them: a configuration file replaces one of the image, a secret goes into a tmpfs on kSecretsFolder
/// and belongs to the program's user alone. Ends the machine if one cannot be written.
void write_run_files(const Manifest& settings);

} // namespace ukl::init
