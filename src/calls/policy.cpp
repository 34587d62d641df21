// SPDX-License-Identifier: GPL-2.0-only
#include "calls/policy.hpp"
#include "support/files.hpp"
#include "target/syscall_names.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <sstream>

namespace ukl {
namespace {

using Calls = std::set<std::uint32_t>;

Result<void> add_call(const std::string& text, const std::string& place, Calls& calls) {
  const auto number = parse_syscall(text);
  if (!number || *number >= UKL_GATE_CALLS)
    return Error{Failure::usage, fmt::format("{}there is no system call {}", place, text),
                 "name it as Linux does (openat), or give its number on x86-64"};
  calls.insert(*number);
  return {};
}

Result<Calls> read_call_list(const std::filesystem::path& file) {
  TRY_LET(const auto text, read_text(file));
  Calls calls;
  std::istringstream lines(text);
  unsigned count = 0;
  for (std::string line, word; std::getline(lines, line);) {
    ++count;
    std::istringstream words(line.substr(0, line.find('#')));
    while (words >> word)
      TRY(add_call(word, fmt::format("{}:{}: ", file.string(), count), calls));
  }
  return calls;
}

} // namespace

Result<Calls> parse_calls(const std::string& text, std::vector<std::filesystem::path>& lists) {
  if (text.starts_with('@')) {
    lists.emplace_back(text.substr(1));
    return read_call_list(lists.back());
  }
  Calls calls;
  if (text != "all") {
    TRY(add_call(text, "", calls));
    return calls;
  }
  for (std::uint32_t number = 0; number < UKL_GATE_CALLS; ++number)
    calls.insert(number);
  return calls;
}

Result<void> set_calls(CallPolicy& policy, const std::string& text) {
  if (text == "auto") {
    policy.answer = CallPolicy::Answer::by_programs;
  } else if (text == "all") {
    policy.answer = CallPolicy::Answer::all;
  } else if (text == "none") {
    policy.answer = CallPolicy::Answer::listed;
  } else if (text.starts_with('@')) {
    policy.answer = CallPolicy::Answer::listed;
    TRY_LET(auto listed, parse_calls(text, policy.lists));
    policy.answered.merge(listed);
  } else {
    return Error{Failure::usage, fmt::format("--calls {} is not understood", text),
                 "expected: auto, all, none, or @FILE with a list of calls; single ones: --call NAME=KIND"};
  }
  return {};
}

Result<void> set_call(CallPolicy& policy, const std::string& text) {
  const auto equals = text.rfind('=');
  const auto kind = equals == std::string::npos ? std::nullopt : parse_kind(text.substr(equals + 1));
  if (!kind)
    return Error{
        Failure::usage, fmt::format("--call {} is not understood", text),
        "expected: NAME=KIND, like getpid=masked; KIND is default, full, direct, masked or shortcut"};
  TRY_LET(const auto calls, parse_calls(text.substr(0, equals), policy.lists));
  const auto shortcuts = shortcut_calls();
  for (const auto number : calls) {
    if (*kind == CallKind::shortcut) {
      if (std::ranges::find(shortcuts, number) != shortcuts.end())
        policy.kinds[number] = *kind;
      continue;
    }
    policy.kinds[number] = *kind;
    if (*kind == CallKind::masked)
      policy.answered.erase(number);
    else
      policy.answered.insert(number);
  }
  return {};
}

std::vector<std::string> call_names(const Calls& calls) {
  std::vector<std::string> names;
  for (const auto number : calls) {
    const auto name = syscall_name(number);
    names.push_back(name.empty() ? fmt::format("{}", number) : std::string(name));
  }
  std::ranges::sort(names);
  return names;
}

Result<void> add_to_call_list(const std::filesystem::path& file, const std::vector<std::uint32_t>& numbers) {
  Calls calls(numbers.begin(), numbers.end());
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    TRY_LET(auto before, read_call_list(file));
    calls.merge(before);
  }
  std::string text = "# The system calls that the program made: ukl pack --calls @THIS_FILE\n";
  for (const auto& name : call_names(calls))
    text += name + "\n";
  return write_text(file, text);
}

} // namespace ukl
