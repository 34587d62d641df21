// SPDX-License-Identifier: GPL-2.0-only
// An image as a program of UEFI: a unified kernel image, as the UAPI group's specification and
// systemd-stub(7) describe it. One file has systemd's stub, the image's kernel as a bzImage, the kernel's
// parameters, and the image's root tree as the initial ramdisk. Firmware, systemd-boot or GRUB's chainloader
// start it, and with a signature Secure Boot lets them.
//
// The kernel is compressed there, so its table of system calls stands before the ramdisk, where it looks for
// it (kernel/files/arch/x86/ukl/gate_page.c). Linux's own decompressor takes another address at each start,
// in physical memory too.
#pragma once

#include "image/write.hpp"
#include "support/reporter.hpp"

#include <filesystem>
#include <string>

namespace ukl {

struct EfiSignature {
  std::filesystem::path key, certificate; ///< PEM files, as sbsign(1) takes them; both empty: no signature
};

/// What goes before the payload of an initial ramdisk: an archive ("newc") with the table of system calls
/// alone. A multiple of four bytes.
Bytes calls_archive(const CallTable& calls);

/// Where a section may lie in a program of UEFI (a PE file) behind all that it has: the first multiple of a
/// page, a virtual address. Error: unreadable (`bytes` are no PE file; `name` is for the message).
Result<std::uint64_t> end_of_sections(std::span<const std::uint8_t> bytes, const std::string& name);

/// Makes it. `info` is of `image`, `parameters` are added to the kernel's. `output` appears when it is whole.
/// Errors: kernel_lacks (the image's kernel cannot be started so), no_kernel (it is not in the cache any
/// more), missing_tool (systemd's stub, objcopy or sbsign, with the package's name), unreadable (also: a key
/// that sbsign refuses), unwritable, disk_full, usage (a line break in the parameters), interrupted.
Result<void> make_efi_file(const std::filesystem::path& image, const ImageInfo& info,
                           const std::filesystem::path& output, const std::string& parameters,
                           const EfiSignature& signature);

} // namespace ukl
