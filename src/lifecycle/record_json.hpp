// SPDX-License-Identifier: GPL-2.0-only
// A machine's record as text: the two files of its folder, and what `ukl ps --json` and `ukl inspect` print.
#pragma once

#include "lifecycle/record.hpp"

#include <nlohmann/json_fwd.hpp>

namespace ukl {

std::string to_json(const RecordedPlan& plan);
std::string to_json(const MachineState& state);
/// False if it is not what to_json() wrote; what it does not say stays as it was.
bool from_json(const std::string& text, RecordedPlan& plan);
bool from_json(const std::string& text, MachineState& state);

/// For programs that read it: plan, phase, status and sentence of a machine.
nlohmann::ordered_json report(const KnownMachine& machine, Moment now);

} // namespace ukl
