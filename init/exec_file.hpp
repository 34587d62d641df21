// SPDX-License-Identifier: GPL-2.0-only
// The files of `ukl cp`, as the machine sees them.
#pragma once

#include <string>

namespace ukl::init {

/// The record `TYPE MODE SIZE PATH` (ukl/exec.hpp) of a file, and of all below it if it is a folder. Empty,
/// with errno, if there is none.
std::string list_files(const std::string& path);
/// To be read. -1 with errno; what is no regular file is none.
int open_to_get(const std::string& path);
/// To be written anew, with these permissions. -1 with errno.
int open_to_put(const std::string& path, unsigned mode);
/// Makes a folder, if there is none. False with errno.
bool make_folder(const std::string& path, unsigned mode);

} // namespace ukl::init
