// SPDX-License-Identifier: GPL-2.0-only
// What there is to measure of machines, as Prometheus reads it (its text format 0.0.4).
#pragma once

#include "lifecycle/record.hpp"
#include "lifecycle/usage.hpp"

namespace ukl {

struct MeasuredMachine {
  KnownMachine machine;
  Usage usage; ///< of one that runs
};

/// Each machine's labels are its name, its project if it has one, and its image's file. Of one that has
/// ended: how, and when.
std::string prometheus_text(const std::vector<MeasuredMachine>& machines);

} // namespace ukl
