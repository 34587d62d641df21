// SPDX-License-Identifier: GPL-2.0-only
// What would make a machine fail, found before it is started.
#pragma once

#include "image/memory.hpp"
#include "machine/options.hpp"

namespace ukl {

/// Error: too_little_memory (the machine has less than the least that its image needs), with a size that
/// suffices in the hint.
Result<void> check_memory(const MachineOptions& options, const MemoryNeed& need);

/// A socket that is bound to the host's side of a forwarded port, not blocking. Errors: as for check_ports.
Result<FileDescriptor> take_port(const Forward& forward);

/// Binds each forwarded port for a moment. Errors: port_in_use (the port is taken), usage (the port or
/// address is not ours to use).
Result<void> check_ports(const std::vector<Forward>& forwards);

/// Gives each forward of host port 0 one that is free now. Returns where each of them leads, in sentences.
/// Errors: as for check_ports.
Result<std::vector<std::string>> choose_free_ports(std::vector<Forward>& forwards);

/// A sentence if the options set TZ to a zone whose file neither the image nor a volume has (the C library
/// would take UTC without a word); else empty. Errors: those of read_payload.
Result<std::string> missing_time_zone(const MachineOptions& options, const ImageInfo& image);

} // namespace ukl
