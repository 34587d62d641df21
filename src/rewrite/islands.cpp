// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/islands.hpp"

#include <algorithm>

namespace ukl::rewrite {
namespace {

constexpr std::uint64_t kLongJump = 5, kShortJump = 2; ///< bytes
constexpr std::uint64_t kLongestPadding = 256;         ///< bytes, between two functions

bool never_goes_on(const Instruction& instruction) {
  return instruction.flow == Flow::jump || instruction.flow == Flow::end ||
         instruction.flow == Flow::indirect_jump;
}

bool has(const std::vector<std::uint64_t>& sorted, std::uint64_t address) {
  return std::binary_search(sorted.begin(), sorted.end(), address);
}

} // namespace

std::vector<Padding> find_islands(const ElfView& elf, const FunctionMap& map, const Function& function,
                                  const std::vector<Instruction>& code, const Entries& entries) {
  std::vector<Padding> paddings;
  const auto add = [&](std::uint64_t start, std::uint64_t end, bool between) {
    if (end - start >= kLongJump)
      paddings.push_back({{start, between, start, end}, start});
  };
  for (std::size_t i = 1; i < code.size(); ++i) {
    if (!code[i].idle || !never_goes_on(code[i - 1]))
      continue;
    auto last = i;
    while (last < code.size() && code[last].idle && !has(entries.direct, code[last].address) &&
           !has(entries.other, code[last].address))
      ++last;
    const auto end = last < code.size() ? code[last].address : function.end;
    if (last > i && !any_between(entries.other, code[i].address, end))
      add(code[i].address, end, false);
    i = last;
  }

  const auto* region = elf.text_at(function.start);
  if (!code.empty() && never_goes_on(code.back()) && function.end < region->end()) {
    const auto gap = map.find(function.end);
    if (!gap.known && gap.start == function.end && gap.size() <= kLongestPadding) {
      const auto padding = decode(region->bytes.subspan(gap.start - region->address, gap.size()), gap.start);
      if (padding &&
          std::all_of(padding->begin(), padding->end(), [](const Instruction& one) { return one.idle; }))
        add(gap.start, gap.end, true);
    }
  }
  return paddings;
}

std::optional<Island> take_island(const FunctionMap& map, std::vector<Padding>& paddings,
                                  std::uint64_t from) {
  for (auto& padding : paddings) {
    const auto& run = padding.run;
    const auto distance = static_cast<std::int64_t>(padding.free - (from + kShortJump));
    if (run.padding_end - padding.free < kLongJump || distance < -128 || distance > 127)
      continue;
    if (!run.between_functions && !map.same_frame_row(from, padding.free))
      continue;
    Island island = run;
    island.address = padding.free;
    padding.free += kLongJump;
    return island;
  }
  return std::nullopt;
}

} // namespace ukl::rewrite
