// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/no_return.hpp"

#include <algorithm>
#include <map>

namespace ukl::rewrite {
namespace {

constexpr std::uint64_t kLargestFunction = 65536; ///< bytes

bool never_returns(const ElfView& elf, const FunctionMap& map, std::uint64_t address) {
  if (!elf.text_at(address))
    return false;
  const auto function = map.find(address);
  if (!function.known || function.start != address || function.size() > kLargestFunction)
    return false;
  const auto code = decode(elf.text_from(address).first(function.size()), address);
  if (!code || code->empty())
    return false;
  const auto leaves = [&](const Instruction& instruction) {
    switch (instruction.flow) {
    case Flow::end:
      return instruction.returns;
    case Flow::indirect_jump:
      return true;
    case Flow::jump:
    case Flow::branch:
      return instruction.target < function.start || instruction.target >= function.end;
    default:
      return false;
    }
  };
  const auto last = code->back().flow;
  return (last == Flow::call || last == Flow::jump || last == Flow::end) &&
         std::none_of(code->begin(), code->end(), leaves);
}

} // namespace

bool end_calls_without_return(const ElfView& elf, const FunctionMap& map, std::vector<Instruction>& code) {
  std::map<std::uint64_t, bool> known;
  bool any = false;
  for (auto& instruction : code) {
    if (instruction.flow != Flow::call || instruction.target == 0)
      continue;
    const auto [entry, fresh] = known.try_emplace(instruction.target, false);
    if (fresh)
      entry->second = never_returns(elf, map, instruction.target);
    if (entry->second)
      instruction.flow = Flow::end;
    any |= entry->second;
  }
  return any;
}

} // namespace ukl::rewrite
