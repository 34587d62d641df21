// SPDX-License-Identifier: GPL-2.0-only
#include "calls/chosen_calls.hpp"
#include "calls/reachable.hpp"
#include "target/syscall_names.hpp"

#include <cctype>
#include <fmt/format.h>

namespace ukl {
namespace {

bool is_word(char letter) {
  return std::isalnum(static_cast<unsigned char>(letter)) != 0 || letter == '_';
}

} // namespace

bool is_web_page(std::span<const std::uint8_t> contents) {
  std::string_view text(reinterpret_cast<const char*>(contents.data()), contents.size());
  const auto start = text.find_first_not_of(" \t\r\n");
  std::string head(start == std::string_view::npos ? std::string_view() : text.substr(start, 14));
  for (char& letter : head)
    letter = static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  return (head == "<!doctype html" || head.starts_with("<html")) && text.find("<?") == std::string_view::npos;
}

bool names_syscall(std::span<const std::uint8_t> contents) {
  constexpr std::string_view kName = "syscall";
  constexpr char kLength = 7; // before a short string in a compiled Python file (CPython's marshal.c)
  const std::string_view text(reinterpret_cast<const char*>(contents.data()), contents.size());
  for (auto at = text.find(kName); at != std::string_view::npos; at = text.find(kName, at + 1)) {
    const char before = at == 0 ? ' ' : text[at - 1];
    const auto end = at + kName.size();
    const char behind = end < text.size() ? text[end] : ' ';
    if (before == kLength || (before == '.' && !is_word(behind)) ||
        ((before == '"' || before == '\'') && behind == before))
      return true;
  }
  return false;
}

ChosenCalls choose_calls(const std::vector<FileCalls>& programs, const CallPolicy& policy,
                         const FindScript& find_script) {
  ChosenCalls chosen;
  auto answered = unavoidable_calls();
  answered.insert(policy.answered.begin(), policy.answered.end());
  bool all = policy.answer == CallPolicy::Answer::all;
  if (policy.answer == CallPolicy::Answer::by_programs) {
    auto reachable = find_reachable_calls(programs);
    answered.merge(reachable.numbers);
    chosen.doubts = std::move(reachable.doubts);
    for (const auto& [file, calls] : reachable.by_file)
      chosen.by_file[file] = call_names(calls);
    if (reachable.looks_up_names && find_script)
      if (const auto script = find_script())
        chosen.doubts.push_back(fmt::format("{} names syscall(2), which a program may look up", *script));
    all = !chosen.doubts.empty();
  }
  for (std::uint32_t number = 0; number < UKL_GATE_CALLS; ++number) {
    const bool known = !syscall_name(number).empty();
    const auto kind = policy.kinds.find(number);
    auto& entry = chosen.table[number];
    if (known && !all && !answered.contains(number))
      entry = CallKind::masked;
    else if (kind != policy.kinds.end())
      entry = kind->second;
    if (known && entry != CallKind::masked)
      ++chosen.answered;
  }
  return chosen;
}

} // namespace ukl
