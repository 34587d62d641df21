// SPDX-License-Identifier: GPL-2.0-only
// From a program to an image file: what `ukl pack`, `ukl build` and the compiler drivers share.
#pragma once

#include "guest_settings.hpp"
#include "kernel_elf.hpp"
#include "masked_calls.hpp"
#include "payload.hpp"
#include "program.hpp"

namespace ukl {

/// One `--file HOST:GUEST`.
struct AddedFile {
  std::filesystem::path host;
  std::string guest; ///< absolute
};

/// What to put into an image.
struct PackRequest {
  std::string program;          ///< a path, or a name to look up in $PATH
  std::string guest_path;       ///< where it lies in the image; empty: as on this machine
  std::filesystem::path output; ///< empty: the program's name with .ukl, in the working directory
  std::vector<std::filesystem::path> library_folders; ///< searched before those of this machine
  std::vector<AddedFile> files;
  std::vector<std::string> arguments; ///< of the program, without its name
  GuestSettings settings;
  std::string profile = "general"; ///< of the kernel
  std::filesystem::path kernel;    ///< a vmlinux to use instead of the profile's; empty: the profile's
  std::vector<std::string> calls;  ///< how system calls are entered: see choose_call_kinds
  MaskOptions masks;               ///< which of them are answered at all
  bool compress = false;           ///< the payload, with zstd
  bool rewrite = true;             ///< turn system-call sites into jumps, if the kernel has a gate
};

/// What came of it.
struct PackSummary {
  std::filesystem::path output;
  std::string program; ///< its path in the image
  std::string profile, kernel_hash;
  std::uint64_t image_size = 0;       ///< bytes
  std::uint64_t payload_size = 0;     ///< bytes
  std::size_t files = 0;              ///< regular files in the image
  std::vector<std::string> libraries; ///< paths, the dynamic loader included
  std::vector<std::string>
      skipped; ///< files of the host that cannot go into an image (sockets, pipes, devices)
  std::vector<std::string> missing; ///< libraries that only added files need and that are not there
  bool ring0 = false;               ///< the kernel has a gate
  std::size_t sites = 0,
              sites_left = 0;      ///< system-call sites, and how many of them still use the instruction
  std::size_t answered = 0;        ///< system calls that the image answers; the others are masked
  std::vector<std::string> doubts; ///< why it answers all of them, if nobody asked for that
};

/// `HOST:GUEST`, or `PATH` for both. The last `:/` divides. Error: usage.
Result<AddedFile> parse_added_file(const std::string& text);

/// Makes the image. Errors: those of find_program, find_libraries, find_kernel, check_settings and
/// write_image.
Result<PackSummary> pack(const PackRequest& request);

} // namespace ukl
