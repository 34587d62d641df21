// SPDX-License-Identifier: GPL-2.0-only
// Storing a finished build in the cache.
#pragma once

#include "kernel/inputs.hpp"
#include "kernel/profile.hpp"

namespace ukl {

/// The files below a build's folder that decide what the kernel is: object files and linker scripts, as
/// sorted paths relative to it. Not those of the host's own tools (scripts/, tools/), and not those that are
/// linked from others (vmlinux.o and the like).
std::vector<std::filesystem::path> object_files(const std::filesystem::path& objects);

/// Copies what a kernel's folder holds (kernel_cache.hpp) out of a build's folder; it appears under its name
/// only when it is whole. vmlinux loses debug sections and relocations and keeps its symbol table. Errors:
/// missing_tool (objcopy), kernel_build (what make should have made is not there), unwritable, disk_full.
Result<Kernel> store_kernel(const KernelInputs& inputs, const std::filesystem::path& objects,
                            const std::filesystem::path& log);

} // namespace ukl
