// SPDX-License-Identifier: GPL-2.0-only
// What would make a machine fail, found before it is started.
#pragma once

#include "image.hpp"
#include "machine_options.hpp"

namespace ukl {

/// The least memory, in bytes, with which an image gets as far as its program.
std::uint64_t least_memory(const ImageInfo& image);

/// Error: too_little_memory, with the size to ask for in the hint.
Result<void> check_memory(const MachineOptions& options, const ImageInfo& image);

/// Binds each forwarded port for a moment. Errors: port_in_use (the port is taken), usage (the port or
/// address is not ours to use).
Result<void> check_ports(const std::vector<Forward>& forwards);

} // namespace ukl
