// SPDX-License-Identifier: GPL-2.0-only
// Whether, and when, a machine that has ended is started again.
#pragma once

#include "support/result.hpp"

#include <chrono>

namespace ukl {

class RestartPolicy {
public:
  /// `no`, `on-failure`, `on-failure:N` (N times at most) or `always`. Error: usage.
  static Result<RestartPolicy> parse(const std::string& text);

  /// The machine ran for `lived` and ended with `status` (anything but 0 is a failure). Returns how long to
  /// wait before it starts again, nothing if it does not: a tenth of a second, twice as long each time, a
  /// minute at most, and from the beginning once it has lived for ten seconds.
  std::optional<std::chrono::milliseconds> after(int status, std::chrono::milliseconds lived);

private:
  enum class Kind { no, on_failure, always };
  Kind kind_ = Kind::no;
  std::optional<unsigned> left_;
  std::chrono::milliseconds delay_{0};
};

} // namespace ukl
