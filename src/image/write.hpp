// SPDX-License-Identifier: GPL-2.0-only
// The image: the kernel's own ELF file with one more PT_LOAD segment, the payload, behind the kernel in
// physical memory. Linux finds it as its initial root (initramfs) because the tool stores its physical
// address and size in the kernel's variables phys_initrd_start and phys_initrd_size (init/do_mounts_initrd.c;
// arch/x86/kernel/setup.c takes them when the boot loader names no initrd). The kernel's PVH note (Xen's
// public elfnote.h, XEN_ELFNOTE_PHYS32_ENTRY) lets QEMU and other loaders boot the file as it is.
//
// The file, from its start: ELF header; program headers (our note, the kernel's notes, the kernel's segments,
// the payload, in this order; behind the kernel's own is the code that moves it, see kernel_slide.hpp, and
// that of Multiboot2 loaders, see multiboot.hpp, and behind all in memory that which unpacks a compressed
// kernel, see compressed_kernel.hpp); the Multiboot2 header; our note; then each on a page boundary the
// kernel's segments and, up to the file's end, the payload. Right before the payload lies the bill
// (bill.hpp), which is in no segment: nothing loads it. There are no section headers and no symbols:
// debuggers use the cached kernel's vmlinux.
//
// Our note (name "UKL", type 1) carries the manifest once more, so that the tool need not unpack the payload.
// It comes first because some loaders keep only what they found in the last PT_NOTE, and its alignment of 8
// makes those that look for a note type without its owner's name step over it.
#pragma once

#include "calls/kind.hpp"
#include "image/kernel_elf.hpp"
#include "support/files.hpp"
#include "support/reporter.hpp"
#include "ukl/manifest.hpp"

#include <span>

namespace ukl {

/// SeaBIOS, which runs in a machine that has the image in its memory already, takes the uppermost 16 MiB
/// below 4 GiB for tables (BUILD_MAX_HIGHTABLE, src/malloc.c) and moves its own code to just below: 16.4 MiB
/// in all. An image that reached there would have holes.
inline constexpr std::uint64_t kFirmwareNeeds = 17ull << 20;

/// Symbols of a kernel that read_kernel_elf must be asked for before write_image. kCallTable is the kernel's
/// table of how system calls are entered (asm/ukl_gate.h); a kernel without it has no gate and runs programs
/// in ring 3.
inline constexpr const char* kCallTable = "ukl_image_calls";
/// Its variable for files in place; a kernel without it copies all files out of the archive.
inline constexpr const char* kImageFiles = "ukl_image_files";
inline const std::vector<std::string> kKernelSymbols = {"phys_initrd_start", "phys_initrd_size", kCallTable,
                                                        kImageFiles};

struct WriteOptions {
  unsigned mode = 0666;           ///< as for AtomicFile
  bool compress_kernel = false;   ///< smaller, and later at its first instruction (compressed_kernel.hpp)
  std::uint64_t archive_size = 0; ///< bytes of the payload that are its archive; 0: all
  std::uint64_t in_place = 0;     ///< how many files lie behind it (PayloadKind::in_place)
  Reporter* reporter = &silent_reporter(); ///< is told of what takes time
  std::string bill = {};                   ///< bytes that go right before the payload (bill.hpp)
};

/// Writes the image in one step: `calls` becomes the kernel's table, `payload` is a cpio archive ("newc"),
/// and what Payload has behind it.
/// Errors: not_elf (a damaged kernel), missing_symbol (a kernel without initramfs, or system calls for one
/// without a gate), usage (the manifest or the payload is too large), unwritable, disk_full; in all of them
/// `path` is as it was before.
Result<void> write_image(const std::filesystem::path& path, KernelElf kernel, const Manifest& manifest,
                         const CallTable& calls, const Bytes& payload, const WriteOptions& options = {});

/// What an image says of itself.
struct ImageInfo {
  Manifest manifest;
  std::uint64_t file_size = 0;       ///< bytes
  std::uint64_t payload_offset = 0;  ///< bytes from the start of the file
  std::uint64_t payload_size = 0;    ///< bytes
  std::uint64_t payload_address = 0; ///< physical address of the payload
  std::uint64_t archive_size = 0;    ///< bytes of the payload that are its archive
  std::uint64_t in_place = 0;        ///< files behind the archive, from the next multiple of 4096 bytes on
  std::uint64_t kernel_size = 0;     ///< bytes of memory that the kernel's segments take, .bss included
  std::uint64_t memory_end = 0;      ///< first physical address behind all that is loaded, bytes
  bool multiboot = false;            ///< it has a Multiboot2 header (multiboot.hpp)
  bool compressed = false;           ///< its kernel and its archive are (ukl pack --compress)
  bool xen = false;                  ///< its kernel has support for Xen (pvh_entry.hpp)
  std::uint64_t positions = 1; ///< addresses of which the kernel takes one at each start (kernel_slide.hpp)
};

/// Reads it. Errors: not_found, unreadable, not_an_image (also a damaged or truncated one), other_version.
Result<ImageInfo> read_image(const std::filesystem::path& path);

/// Reads one from its first bytes (at least kImageHead, or the whole file if it is smaller) and the size of
/// its file. `name` is for messages. Errors: not_an_image, other_version.
Result<ImageInfo> parse_image(std::span<const std::uint8_t> head, std::uint64_t file_size,
                              const std::string& name);

/// An image's headers and note take at most this many bytes at its start.
inline constexpr std::uint64_t kImageHead = 1 << 20;

} // namespace ukl
