// SPDX-License-Identifier: GPL-2.0-only
// What single operations may cost: the project's targets, checked against a run of the benchmark.
#pragma once

#include "results.hpp"

namespace ukl::bench {

/// The operations that have targets, and the systems that they are compared on.
std::vector<std::string> target_operations();
std::vector<std::string> target_systems();

struct Verdict {
  std::string line;  ///< operation, figures, target, and whether it is met
  bool good = false; ///< met, or missed by no more than what is accepted (the line says why it is)
};

/// One for each target. An operation that was not measured is not good.
std::vector<Verdict> check_targets(const Part& operations);

} // namespace ukl::bench
