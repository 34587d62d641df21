// SPDX-License-Identifier: GPL-2.0-only
// What became of all machines, one JSON object a line, for whoever follows: the file events.jsonl among the
// machines' folders, and its older half events.jsonl.1. Each is bounded.
#pragma once

#include "lifecycle/record.hpp"

#include <functional>

namespace ukl {

/// Adds `what` became of a machine: created, starting, started, ready, ended or removed. What cannot be
/// written is not: no machine waits for that.
void add_event(const std::filesystem::path& machines, const std::string& name, const std::string& what,
               const MachineState& state = {});

/// Gives each line of what happened since `since` (as describe(Moment) writes it; empty: all) to `take`;
/// `follow`: goes on until an interrupt.
Result<void> read_events(const std::filesystem::path& machines, const std::string& since, bool follow,
                         const std::function<void(const std::string&)>& take);

/// The status with which a machine of that name ended last, if that is known.
std::optional<int> last_status(const std::filesystem::path& machines, const std::string& name);

} // namespace ukl
