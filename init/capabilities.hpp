// SPDX-License-Identifier: GPL-2.0-only
// Capabilities of files, which an archive of Linux's initramfs cannot carry.
#pragma once

#include "ukl/manifest.hpp"

namespace ukl::init {

/// Gives the files what key::capability says. One that the root's file system does not take is named on the
/// console.
void set_capabilities(const Manifest& settings);

} // namespace ukl::init
