// SPDX-License-Identifier: GPL-2.0-only
// Tools of this machine: those that write disks and file systems (GRUB's, QEMU's, those of e2fsprogs and
// binutils) and those of its networks (iproute2, nftables).
#pragma once

#include "support/process.hpp"
#include "support/result.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ukl {

/// Runs one, which is looked up in /usr/sbin and /sbin as well: these are not in everybody's PATH. It speaks
/// English; its status is for the caller. `install`: the command that installs it, for the hint. Error:
/// missing_tool.
Result<Output> run_host_tool(std::vector<std::string> command, const std::string& install,
                             ProcessOptions how = {});

/// The same for one that makes `output`, or a part of it, and must end with 0. Errors: missing_tool;
/// disk_full, if that is why it failed; else `failure`, with the last line of what it said.
Result<void> write_with_tool(std::vector<std::string> command, const std::string& install,
                             const std::filesystem::path& output, Failure failure = Failure::unwritable);

} // namespace ukl
