// SPDX-License-Identifier: GPL-2.0-only
// The files in which programs look for names: /etc/hostname, /etc/hosts and /etc/resolv.conf.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Sets the machine's name and writes the three files. One that the image has is kept, unless this run's own
/// settings say what stands in it. Ends the machine if the name cannot be set.
void set_names(const Manifest& settings);

} // namespace ukl::init
