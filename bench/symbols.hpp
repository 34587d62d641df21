// SPDX-License-Identifier: GPL-2.0-only
// Addresses of instructions: how often each ran, and in which function it lies.
#pragma once

#include "support/result.hpp"

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ukl::bench {

using Functions = std::map<std::uint64_t, std::string>;

/// What profile_plugin.so wrote: how often the instruction at each address ran. Errors: not_found,
/// unreadable.
Result<std::vector<std::pair<std::uint64_t, double>>> read_counts(const std::filesystem::path& counts);

/// Of one of our kernels, from the System.map beside its vmlinux. Errors: not_found, unreadable.
Result<Functions> functions_of_kernel(const std::filesystem::path& vmlinux);

/// The function at or before the address.
std::string name_in(const Functions& functions, std::uint64_t address);

} // namespace ukl::bench
