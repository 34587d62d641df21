// SPDX-License-Identifier: GPL-2.0-only
// Signals by the names that people write.
#pragma once

#include "support/result.hpp"

namespace ukl {

/// `9`, `KILL`, `SIGKILL`, `kill`, `RTMIN+1`. Error: usage.
Result<int> parse_signal(const std::string& text);

} // namespace ukl
