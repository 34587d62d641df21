// SPDX-License-Identifier: GPL-2.0-only
// What a measured machine runs, on whatever kernel: said once, packed by ukl for ours and by ourselves for
// Debian's.
#pragma once

#include "contents/root_tree.hpp"
#include "image/pack.hpp"

#include <map>

namespace ukl::bench {

struct GuestProgram {
  std::filesystem::path file;                         ///< on this machine
  std::string path;                                   ///< in the guest, absolute
  std::vector<std::string> arguments;                 ///< without its name
  std::vector<std::filesystem::path> library_folders; ///< searched before this machine's
  std::map<std::string, std::string> texts;           ///< further files: path in the guest, contents
  std::vector<std::string> folders;                   ///< further folders, empty
  std::filesystem::path start; ///< PID 1 where ukl's init is none (bench/guest/start); empty: the program
};

/// What `ukl pack` is asked for. Files that it needs are written to `folder`. Errors: those of read_places
/// and of writing.
Result<PackRequest> pack_request(const GuestProgram& program, const std::filesystem::path& folder);

/// The files of a machine with another kernel, which loads `modules` in this order. Errors: those of
/// find_libraries, usage.
Result<RootTree> foreign_tree(const GuestProgram& program, const std::vector<std::filesystem::path>& modules);

} // namespace ukl::bench
