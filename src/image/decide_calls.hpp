// SPDX-License-Identifier: GPL-2.0-only
// Which system calls an image answers, and how: by what its programs can make, and by what the user says.
#pragma once

#include "calls/chosen_calls.hpp"
#include "image/elves.hpp"

namespace ukl {

/// True if the decision depends on the programs: then read_elves has to plan them.
bool decides_by_programs(const CallPolicy& policy);

/// Decides. `gate`: the kernel has one; without one only what the user says of single calls is heeded. Init
/// is none of the programs: the kernel answers it always.
ChosenCalls decide_calls(const CallPolicy& policy, const std::vector<ImageElf>& elves, const RootTree& tree,
                         bool gate);

/// Whether a program of the image may come to have a socket of the network's.
bool may_open_sockets(const ChosenCalls& calls);

} // namespace ukl
