// SPDX-License-Identifier: GPL-2.0-only
// From a program to an image file: what `ukl pack`, `ukl build` and the compiler drivers share.
#pragma once

#include "calls/policy.hpp"
#include "image/guest_settings.hpp"
#include "image/memory.hpp"
#include "support/places.hpp"
#include "support/reporter.hpp"

#include <map>

namespace ukl {

/// One `--file HOST:GUEST`.
struct AddedFile {
  std::filesystem::path host;
  std::string guest; ///< absolute
};

/// What to put into an image.
struct PackRequest {
  Places places;
  std::string program;           ///< a path, a name to look up in places.search_path, or a source (oci:…)
  std::vector<std::string> with; ///< further sources, whose files come along
  std::string entrypoint;        ///< of a source: what is started in place of what it says
  std::string guest_path;        ///< where it lies in the image; empty: as on this machine
  std::filesystem::path output;  ///< empty: the program's name with .ukl, in the working directory
  std::filesystem::path sbom;    ///< where to write what is in the image (sbom.hpp); empty: nowhere
  std::vector<std::filesystem::path> library_folders; ///< searched before those of this machine
  std::vector<AddedFile> files;
  std::vector<std::string> arguments; ///< of the program, without its name
  std::size_t entry = 1; ///< how many words of program and arguments a run's arguments do not replace
  GuestSettings settings;
  std::string profile;          ///< of the kernel; empty: the smallest that fits
  std::filesystem::path kernel; ///< a vmlinux to use instead of the profile's; empty: the profile's
  CallPolicy calls;             ///< which system calls are answered, and how they are entered
  bool compress = false;        ///< the kernel and the payload
  bool rewrite = true;          ///< turn system-call sites into jumps, if the kernel has a gate
  Reporter* reporter = &silent_reporter(); ///< is told of what takes time
};

/// What came of it.
struct PackSummary {
  std::filesystem::path output;
  std::string program; ///< its path in the image
  std::string profile, kernel_hash;
  std::string fit;                    ///< why this profile, unless the user chose
  std::uint64_t image_size = 0;       ///< bytes
  std::uint64_t payload_size = 0;     ///< bytes
  std::size_t files = 0;              ///< regular files in the image
  std::vector<std::string> libraries; ///< paths, the dynamic loader included
  std::vector<std::string>
      skipped; ///< files of the host that cannot go into an image (sockets, pipes, devices)
  std::vector<std::string>
      missing; ///< what only added files or the environment need and this machine lacks, in sentences
  std::vector<std::string> notes; ///< what else the user should know of the added files
  MemoryNeed memory;              ///< of the image
  bool ring0 = false;             ///< the kernel has a gate
  std::size_t sites = 0,
              sites_left = 0;         ///< system-call sites, and how many of them still use the instruction
  std::vector<std::string> kept;      ///< files whose sites all do, and why: `PATH: REASON`
  std::uint64_t kernel_positions = 1; ///< addresses of which the kernel takes one at each start
  std::string kernel_obstacle;        ///< why there is only one
  std::size_t answered = 0;           ///< system calls that the image answers; the others are masked
  std::vector<std::string> doubts;    ///< why it answers all of them, if nobody asked for that
  std::map<std::string, std::vector<std::string>> calls; ///< those that each program and library can make
};

/// `HOST:GUEST`, or `PATH` for both. The last `:/` divides. Error: usage.
Result<AddedFile> parse_added_file(const std::string& text);

/// Makes the image. Errors: those of read_sources, find_program, check_settings, first_kernel, gather,
/// fit_kernel, link_kernel_functions, make_payload and write_image.
Result<PackSummary> pack(const PackRequest& request);

} // namespace ukl
