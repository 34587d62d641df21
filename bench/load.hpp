// SPDX-License-Identifier: GPL-2.0-only
// What a load generator found out about a server.
#pragma once

#include "support/result.hpp"

#include <string>
#include <vector>

namespace ukl::bench {

struct Load {
  double requests = 0;   ///< answered while it was measured
  double sent = 0;       ///< answered in all, warming up included
  double rate = 0;       ///< requests per second
  double latency_50 = 0; ///< microseconds
  double latency_99 = 0; ///< microseconds
};

/// The value that `share` (0 to 1) of `values` are not above. Sorts them.
double percentile(std::vector<float>& values, double share);

} // namespace ukl::bench
