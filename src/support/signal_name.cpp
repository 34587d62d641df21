// SPDX-License-Identifier: GPL-2.0-only
#include "support/signal_name.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fmt/format.h>

namespace ukl {

Result<int> parse_signal(const std::string& text) {
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error == std::errc() && end == text.data() + text.size() && number > 0 && number <= SIGRTMAX)
    return number;
  std::string name = text;
  std::ranges::transform(name, name.begin(), [](unsigned char byte) { return std::toupper(byte); });
  if (name.starts_with("SIG"))
    name.erase(0, 3);
  for (number = 1; number < SIGRTMIN; ++number)
    if (const char* known = sigabbrev_np(number); known && name == known)
      return number;
  for (const auto& [base, first] : {std::pair("RTMIN", SIGRTMIN), std::pair("RTMAX", SIGRTMAX)}) {
    if (!name.starts_with(base))
      continue;
    const auto rest = name.substr(std::strlen(base));
    number = first + (rest.empty() ? 0 : std::atoi(rest.c_str()));
    if (number >= SIGRTMIN && number <= SIGRTMAX)
      return number;
  }
  return Error{Failure::usage, fmt::format("there is no signal {}", text),
               "write a name like TERM or HUP, or a number"};
}

} // namespace ukl
