// SPDX-License-Identifier: GPL-2.0-only
// Where a hypervisor enters a kernel by the PVH protocol (Linux: arch/x86/platform/pvh/head.S), and what else
// a kernel's notes say to Xen (Xen: public/elfnote.h).
#pragma once

#include "image/kernel_elf.hpp"

#include <optional>
#include <span>

namespace ukl {

/// The physical address, from the kernel's note XEN_ELFNOTE_PHYS32_ENTRY; nothing if it has none.
std::optional<std::uint64_t> pvh_entry(const KernelElf& kernel);

/// Stores another in that note. Does nothing if there is none.
void set_pvh_entry(KernelElf& kernel, std::uint64_t address);

/// Takes the note away that lets a loader put the kernel elsewhere in memory (XEN_ELFNOTE_PHYS32_RELOC, since
/// Linux 6.12): what is joined to it does not move with it.
void stay_in_place(KernelElf& kernel);

/// Whether these notes (the contents of a PT_NOTE segment) are of a kernel that was built with support for
/// Xen: then, and only then, it has XEN_ELFNOTE_XEN_VERSION (arch/x86/xen/xen-head.S).
bool speaks_xen(std::span<const std::uint8_t> notes);
bool speaks_xen(const KernelElf& kernel);

} // namespace ukl
