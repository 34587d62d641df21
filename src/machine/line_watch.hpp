// SPDX-License-Identifier: GPL-2.0-only
// Waits for a line of the program's output.
#pragma once

#include "support/result.hpp"

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <string_view>

namespace ukl {

class LineWatch {
public:
  /// `expression`: a regular expression (ECMAScript's, as std::regex has it) that some part of a line is to
  /// match. Error: usage (it is none).
  static Result<std::shared_ptr<LineWatch>> create(const std::string& expression);
  ~LineWatch();

  /// Bytes of the program's stream 1, 2 or 3 as they came, from the thread that reads it. Of a line that does
  /// not end, or is longer than a kibibyte, so much is looked at. True if the line was among them; false ever
  /// after.
  bool take(unsigned stream, std::string_view bytes);
  bool seen() const { return seen_; }

private:
  struct Expression; // <regex> stays in one file
  explicit LineWatch(std::unique_ptr<const Expression> expression);

  std::unique_ptr<const Expression> expression_;
  std::atomic<bool> seen_ = false;
  std::array<std::string, 4> lines_; // by stream: what came since the last line's end
};

} // namespace ukl
