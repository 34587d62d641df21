// SPDX-License-Identifier: GPL-2.0-only
// What a package starts: what its unit says, what is known of it, or its program.
#pragma once

#include "sources/package_archive.hpp"
#include "sources/source.hpp"
#include "sources/system_users.hpp"

namespace ukl {

/// Fills in `source.entrypoint`, `arguments`, `environment`, `user`, `directory` and `no_program` for the
/// package `name`, one of `packages`, whose files are in `source.tree`. Makes the folders of its unit. A
/// package without unit and without a program of its name has none, and `no_program` lists what it has.
void choose_package_command(const std::string& name, const std::vector<PackageArchive>& packages,
                            SystemUsers& users, Source& source);

} // namespace ukl
