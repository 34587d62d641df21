// SPDX-License-Identifier: GPL-2.0-only
#include "machine/console_status.hpp"
#include "ukl/run_settings.hpp"

#include <algorithm>
#include <charconv>

namespace ukl {
namespace {

// "status 255" and some room.
constexpr std::size_t kLongestWord = 16;
constexpr std::string_view kStatus = "status ";

} // namespace

bool ConsoleStatus::take_word(std::string_view word) {
  if (word == "ready") {
    ready_ = true;
    return true;
  }
  if (!word.starts_with(kStatus))
    return false;
  const auto digits = word.substr(kStatus.size());
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  if (error != std::errc() || end != digits.data() + digits.size())
    return false;
  status_ = number;
  return true;
}

std::string ConsoleStatus::take(std::string_view bytes) {
  kept_ += bytes;
  std::string shown;
  while (!kept_.empty()) {
    const auto escape = std::min(kept_.find(kConsoleWordBegin[0]), kept_.size());
    shown += kept_.substr(0, escape);
    kept_.erase(0, escape);
    if (kept_.empty())
      break;
    const std::string_view text = kept_;
    const auto common = std::min(text.size(), kConsoleWordBegin.size());
    const bool begins = text.substr(0, common) == kConsoleWordBegin.substr(0, common);
    const auto end = text.find(kConsoleWordEnd, kConsoleWordBegin.size());
    const bool whole = begins && end != std::string_view::npos;
    if (begins && !whole && text.size() < kConsoleWordBegin.size() + kLongestWord)
      break; // more may come
    if (whole && take_word(text.substr(kConsoleWordBegin.size(), end - kConsoleWordBegin.size()))) {
      kept_.erase(0, end + kConsoleWordEnd.size());
    } else {
      shown += kept_[0];
      kept_.erase(0, 1);
    }
  }
  return shown;
}

} // namespace ukl
