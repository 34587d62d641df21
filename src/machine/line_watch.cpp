// SPDX-License-Identifier: GPL-2.0-only
#include "machine/line_watch.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <regex>

namespace ukl {
namespace {

// std::regex takes stack for every letter that it looks at.
constexpr std::size_t kLongestLine = 1024;

} // namespace

struct LineWatch::Expression {
  std::regex regex;
};

LineWatch::LineWatch(std::unique_ptr<const Expression> expression) : expression_(std::move(expression)) {}
LineWatch::~LineWatch() = default;

Result<std::shared_ptr<LineWatch>> LineWatch::create(const std::string& expression) {
  try {
    auto regex = std::make_unique<const Expression>(Expression{std::regex(expression)});
    return std::shared_ptr<LineWatch>(new LineWatch(std::move(regex)));
  } catch (const std::regex_error& error) {
    return Error{Failure::usage, fmt::format("'{}' is no regular expression: {}", expression, error.what()),
                 "it is an ECMAScript one; a backslash makes a letter of . * + ? ( ) [ ] { } ^ $ |"};
  }
}

bool LineWatch::take(unsigned stream, std::string_view bytes) {
  auto& line = lines_.at(stream);
  while (!bytes.empty() && !seen_) {
    const auto end = std::min(bytes.find('\n'), bytes.size());
    line += bytes.substr(0, std::min(end, kLongestLine - std::min(kLongestLine, line.size())));
    // A prompt has no end of line.
    try {
      if (std::regex_search(line, expression_->regex))
        return !seen_.exchange(true);
    } catch (const std::regex_error&) {
      // Too complex for this line: it does not match.
    }
    if (end == bytes.size())
      return false;
    line.clear();
    bytes.remove_prefix(end + 1);
  }
  return false;
}

} // namespace ukl
