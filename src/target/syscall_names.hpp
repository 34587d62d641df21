// SPDX-License-Identifier: GPL-2.0-only
// Names of x86-64 system calls (Linux, asm/unistd_64.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ukl {

/// "read" for 0; empty for a number without a name.
std::string_view syscall_name(std::uint32_t number);

/// The reverse.
std::optional<std::uint32_t> syscall_number(std::string_view name);

/// A name, or any number in decimal.
std::optional<std::uint32_t> parse_syscall(std::string_view text);

} // namespace ukl
