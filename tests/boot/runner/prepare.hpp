// SPDX-License-Identifier: GPL-2.0-only
// From a test's description to an image: packages, compiled programs, the runs on the host, `ukl pack`.
#pragma once

#include "settings.hpp"
#include "specification.hpp"

namespace boot {

/// Fetches and unpacks the Debian packages that are not there yet, under <build>/debian (all in one tree).
ukl::Result<void> fetch_packages(const std::vector<std::string>& packages, const Settings& settings);

/// Compiles what the test names into its build folder; up to date products are kept.
ukl::Result<void> compile(const Test& test, const Settings& settings, const Names& names);

/// Runs the checks on the build machine's own Linux. One failed outcome for each that fails there.
std::vector<Outcome> run_on_host(const Test& test, const Names& names);

/// Makes <build>/image.ukl.
ukl::Result<void> make_image(const Test& test, const Settings& settings, const Names& names);

} // namespace boot
