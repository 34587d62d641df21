// SPDX-License-Identifier: GPL-2.0-only
// Init's words, taken out of the bytes of a console (ukl/run_settings.hpp).
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ukl {

class ConsoleStatus {
public:
  /// What of these bytes, and of earlier ones that were kept back, is for the reader.
  std::string take(std::string_view bytes);
  /// The rest, at the console's end.
  std::string rest() { return std::move(kept_); }
  /// What is typed reaches the program.
  bool ready() const { return ready_; }
  std::optional<int> status() const { return status_; }

private:
  bool take_word(std::string_view word);

  std::string kept_; // the beginning of what may be a word
  bool ready_ = false;
  std::optional<int> status_;
};

} // namespace ukl
