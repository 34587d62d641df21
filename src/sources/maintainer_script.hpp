// SPDX-License-Identifier: GPL-2.0-only
// Maintainer scripts of packages cannot run: nothing of a package is executed on this machine. What they do
// to users and files is nearly always written plainly, so they are read as text.
#pragma once

#include <string>
#include <vector>

namespace ukl {

/// The simple commands of a shell script, as words: quotes undone, variables that the script sets to plain
/// text put in; of a loop over plain words, each round's. Commands with words that only a shell could know
/// ($(…), other variables) are left out; conditions are not looked at.
std::vector<std::vector<std::string>> plain_commands(const std::string& script);

} // namespace ukl
