// SPDX-License-Identifier: GPL-2.0-only
#include "calls/folded_calls.hpp"
#include "calls/policy.hpp"

namespace ukl {

std::map<std::string, std::vector<std::string>> calls_by_kind(const CallTable& table) {
  std::map<CallKind, std::set<std::uint32_t>> numbers;
  for (std::uint32_t number = 0; number < table.size(); ++number)
    if (table[number] != CallKind::standard)
      numbers[table[number]].insert(number);
  std::map<std::string, std::vector<std::string>> names;
  for (const auto& [kind, calls] : numbers)
    names[std::string(kind_name(kind))] = call_names(calls);
  return names;
}

std::string folded(const std::string& label, const std::vector<std::string>& words, std::size_t width) {
  std::string text = label + ':';
  std::size_t column = text.size();
  for (const auto& word : words) {
    if (column + 1 + word.size() > width) {
      text += "\n   ";
      column = 3;
    }
    text += ' ' + word;
    column += 1 + word.size();
  }
  return text + '\n';
}

} // namespace ukl
