// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/restart_policy.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace ukl {
namespace {

constexpr std::chrono::milliseconds kFirstDelay{100}, kLongestDelay{60000}, kLongLife{10000};

} // namespace

Result<RestartPolicy> RestartPolicy::parse(const std::string& text) {
  RestartPolicy policy;
  constexpr std::string_view failure = "on-failure";
  if (text == "no")
    return policy;
  if (text == "always") {
    policy.kind_ = Kind::always;
    return policy;
  }
  policy.kind_ = Kind::on_failure;
  if (text == failure)
    return policy;
  unsigned times = 0;
  if (text.starts_with(failure) && text.size() > failure.size() + 1 && text[failure.size()] == ':') {
    const auto [end, error] =
        std::from_chars(text.data() + failure.size() + 1, text.data() + text.size(), times);
    if (error == std::errc() && end == text.data() + text.size()) {
      policy.left_ = times;
      return policy;
    }
  }
  return Error{Failure::usage, fmt::format("--restart {} is not understood", text),
               "write no, on-failure, on-failure:N or always"};
}

std::optional<std::chrono::milliseconds> RestartPolicy::after(int status, std::chrono::milliseconds lived) {
  if (kind_ == Kind::no || (kind_ == Kind::on_failure && status == 0) || left_ == 0u)
    return std::nullopt;
  if (left_)
    --*left_;
  delay_ = lived >= kLongLife || delay_.count() == 0 ? kFirstDelay : std::min(2 * delay_, kLongestDelay);
  return delay_;
}

} // namespace ukl
