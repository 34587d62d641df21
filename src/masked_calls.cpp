// SPDX-License-Identifier: GPL-2.0-only
#include "masked_calls.hpp"
#include "rewrite/reachable.hpp"
#include "rewrite/syscall_names.hpp"
#include "support/files.hpp"
#include "ukl/gate.h"

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
  auto text = read_text(file);
  if (!text)
    return text.error();
  Calls calls;
  std::istringstream lines(*text);
  unsigned count = 0;
  for (std::string line, word; std::getline(lines, line);) {
    ++count;
    std::istringstream words(line.substr(0, line.find('#')));
    while (words >> word)
      if (auto added = add_call(word, fmt::format("{}:{}: ", file.string(), count), calls); !added)
        return added.error();
  }
  return calls;
}

Result<Calls> parse_calls(const std::vector<std::string>& texts) {
  Calls calls;
  for (const auto& text : texts) {
    if (!text.starts_with('@')) {
      if (auto added = add_call(text, "", calls); !added)
        return added.error();
      continue;
    }
    auto listed = read_call_list(text.substr(1));
    if (!listed)
      return listed.error();
    calls.merge(*listed);
  }
  return calls;
}

// Numbers that Linux does not know are left to it: it answers them as a masked call is answered.
bool is_known(std::uint32_t number) {
  return !syscall_name(number).empty();
}

} // namespace

Result<MaskedCalls> choose_masked_calls(const std::vector<FileCalls>& programs, const MaskOptions& options) {
  MaskedCalls result;
  auto allowed = parse_calls(options.allowed);
  if (!allowed)
    return allowed.error();
  auto only = parse_calls(options.only);
  if (!only)
    return only.error();
  Calls answered = unavoidable_calls();
  bool all = options.all;
  if (!options.only.empty()) {
    answered.merge(*only);
  } else if (!all) {
    auto reachable = find_reachable_calls(programs);
    answered.merge(reachable.numbers);
    result.doubts = std::move(reachable.doubts);
    all = !result.doubts.empty();
  }
  answered.merge(*allowed);
  for (std::uint32_t number = 0; number < UKL_GATE_CALLS; ++number)
    if (is_known(number) && !all && !answered.contains(number))
      result.records.emplace_back(key::syscall, fmt::format("{}:masked", number));
    else if (is_known(number))
      ++result.answered;
  return result;
}

Result<void> add_to_call_list(const std::filesystem::path& file, const std::vector<std::uint32_t>& numbers) {
  Calls calls(numbers.begin(), numbers.end());
  std::error_code ignored;
  if (std::filesystem::exists(file, ignored)) {
    auto before = read_call_list(file);
    if (!before)
      return before.error();
    calls.merge(*before);
  }
  std::vector<std::string> names;
  for (const auto number : calls)
    names.push_back(is_known(number) ? std::string(syscall_name(number)) : fmt::format("{}", number));
  std::ranges::sort(names);
  std::string text = "# The system calls that the program made: ukl pack --only-syscall @THIS_FILE\n";
  for (const auto& name : names)
    text += name + "\n";
  return write_text(file, text);
}

} // namespace ukl
