// SPDX-License-Identifier: GPL-2.0-only
// Files in and out of a machine that runs.
#pragma once

#include "lifecycle/record.hpp"

namespace ukl {

/// Copies a file, or a folder with all below it, from the machine. Into `to`, if that is a folder, by its own
/// name; else as `to`. Permissions stay, owners do not, links inside are followed. A file appears when it is
/// whole. Nothing is written outside of `to`. Errors: those of ExecClient; unwritable, disk_full, not_found.
Result<void> copy_from(const KnownMachine& machine, const std::string& from, const std::filesystem::path& to);

/// The same in the other direction. Errors: those of ExecClient; not_found, unreadable.
Result<void> copy_to(const KnownMachine& machine, const std::filesystem::path& from, const std::string& to);

/// What one file of the machine holds, also one of /proc, which has no size. Errors: those of ExecClient.
Result<std::string> read_from(const KnownMachine& machine, const std::string& path);

} // namespace ukl
