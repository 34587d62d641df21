// SPDX-License-Identifier: GPL-2.0-only
// Names for addresses, from an ELF file's own symbol table.
#pragma once

#include <cstdint>
#include <string>

namespace ukl::init {

/// `function+0x12` for an instruction in an ELF file of which a stretch of `mapping_size` bytes is mapped
/// executable at `mapping`. Takes the full symbol table if there is one, else the dynamic one. Empty if the
/// file cannot be read or has no function there.
std::string name_of_address(const std::string& path, std::uint64_t mapping, std::uint64_t mapping_size,
                            std::uint64_t instruction);

} // namespace ukl::init
