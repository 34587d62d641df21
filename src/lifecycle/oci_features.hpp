// SPDX-License-Identifier: GPL-2.0-only
// What the runtime says that it knows (OCI runtime specification, features.md), for engines that ask first.
#pragma once

#include <string>

namespace ukl {

/// As JSON. A feature that has no meaning for a machine is said to be there where leaving it out changes
/// nothing for the program: it has a kernel of its own.
std::string oci_features();

} // namespace ukl
