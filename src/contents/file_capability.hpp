// SPDX-License-Identifier: GPL-2.0-only
// Capabilities of a file: the extended attribute security.capability (capabilities(7); struct vfs_cap_data of
// linux/capability.h), as hexadecimal digits.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace ukl {

/// Of the attribute's value; empty if it is none. One that counts in a user namespace alone (revision 3)
/// counts in a whole machine.
std::string file_capability(std::span<const std::uint8_t> value);
/// Of a file of this machine; empty if it has none.
std::string file_capability(const std::filesystem::path& file);

} // namespace ukl
