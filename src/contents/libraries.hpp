// SPDX-License-Identifier: GPL-2.0-only
// The shared libraries that a program will load, found on this machine as its dynamic loader would find them
// (ld.so(8); /etc/ld-musl-x86_64.path for musl). LD_LIBRARY_PATH is not used: an image shall not depend on
// the shell it was made in.
#pragma once

#include "contents/file_view.hpp"
#include "elf/elf_files.hpp"

#include <filesystem>
#include <string>
#include <vector>

namespace ukl {

/// One library, or the dynamic loader itself.
struct Library {
  std::string name;           ///< by which it is asked for (DT_NEEDED, or PT_INTERP's last part)
  std::filesystem::path path; ///< where it was found; may lead through symbolic links
  std::string needed_by;      ///< the file that asks for it first
  bool only_by_configuration =
      false; ///< found in a folder of /etc/ld.so.conf that is not searched without it
};

/// Where a loader looks after the folders that the ELF files name themselves.
struct SearchFolders {
  std::vector<std::filesystem::path> configured;            ///< from /etc/ld.so.conf and what it includes
  std::vector<std::filesystem::path> built_in;              ///< searched also without any configuration
  std::shared_ptr<const FileView> view = view_of_machine(); ///< whose folders they are
};

/// glibc's, with `configuration` in place of /etc/ld.so.conf. What cannot be read is as if it were empty.
SearchFolders glibc_folders(const std::filesystem::path& configuration = "/etc/ld.so.conf",
                            std::shared_ptr<const FileView> view = view_of_machine());

/// One that is nowhere to be found.
struct MissingLibrary {
  std::string name;
  std::string needed_by; ///< the file that asks for it first
};

/// missing_library: names it, who needs it, and a package to try.
Error missing_library(const MissingLibrary& library);

/// The interpreter and all libraries of one ELF file, each once, in the order in which they are loaded. A
/// program for glibc also gets libgcc_s.so.1 if it is there, because pthread_cancel and pthread_exit load it
/// at run time. Paths are those of `folders.view`; a `path` that it does not have is one of this machine.
/// Libraries that are not there are added to `missing`, and the search goes on. Errors: missing_library (the
/// dynamic loader itself is not there), and those of read_elf for the file or a library.
Result<std::vector<Library>> find_libraries(const std::filesystem::path& path, ElfFiles& elf_files,
                                            const SearchFolders& folders,
                                            std::vector<MissingLibrary>& missing);

/// The same, but the first library that is not there is an error: missing_library.
Result<std::vector<Library>> find_libraries(const std::filesystem::path& path, const SearchFolders& folders);

/// Debian's usual name for the package that holds a library: libfoo.so.1 -> libfoo1, libgtk-3.so.0 ->
/// libgtk-3-0.
std::string likely_package(const std::string& library);

} // namespace ukl
