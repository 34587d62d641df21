// SPDX-License-Identifier: GPL-2.0-only
// Unpacking a source archive.
#pragma once

#include "support/reporter.hpp"
#include "support/result.hpp"

#include <filesystem>
#include <string>

namespace ukl {

/// Unpacks a tar archive (of any compression that libarchive knows) into `folder`, which is created. The
/// first component of every path is dropped, as `tar --strip-components=1` does. Says under `label` how
/// far it is. Errors: not_found, unreadable (also: damaged), unwritable, disk_full, interrupted; the folder
/// is then removed.
Result<void> unpack_archive(const std::filesystem::path& archive, const std::filesystem::path& folder,
                            const std::string& label, Reporter& reporter);

} // namespace ukl
