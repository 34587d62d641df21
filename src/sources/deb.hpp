// SPDX-License-Identifier: GPL-2.0-only
// deb:NAME, deb:NAME=VERSION, deb:./FILE.deb: Debian packages with all that they need.
#pragma once

#include "sources/source.hpp"

namespace ukl {

/// A root of these packages and what they need; the first one's program is the command. Errors: those of
/// resolve_packages, download_packages and store_package.
Result<Source> open_packages(const std::vector<std::string>& names, Reporter& reporter);

} // namespace ukl
