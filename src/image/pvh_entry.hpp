// SPDX-License-Identifier: GPL-2.0-only
// Where a hypervisor enters a kernel by the PVH protocol (Linux: arch/x86/platform/pvh/head.S).
#pragma once

#include "image/kernel_elf.hpp"

#include <optional>

namespace ukl {

/// The physical address, from the kernel's note XEN_ELFNOTE_PHYS32_ENTRY; nothing if it has none.
std::optional<std::uint64_t> pvh_entry(const KernelElf& kernel);

} // namespace ukl
