// SPDX-License-Identifier: GPL-2.0-only
// Names of functions by their addresses.
#pragma once

#include "support/result.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

namespace ukl::bench {

using Functions = std::map<std::uint64_t, std::string>;

/// Of one of our kernels, from the System.map beside its vmlinux. Errors: not_found, unreadable.
Result<Functions> functions_of_kernel(const std::filesystem::path& vmlinux);

/// The function at or before the address.
std::string name_in(const Functions& functions, std::uint64_t address);

} // namespace ukl::bench
