// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/functions.hpp"

#include "rewrite/go_functions.hpp"

#include <algorithm>

namespace ukl::rewrite {

FunctionMap::FunctionMap(const ElfView& elf)
    : elf_(elf), frames_(frame_entries(elf)), symbols_(elf.symbols()) {
  const auto go = go_function_starts(elf);
  go_ = elf.section(".gopclntab") || elf.section(".go.buildinfo");
  starts_.reserve(frames_.size() + symbols_.size() + go.size());
  std::vector<Function> ranges;
  for (const auto& frame : frames_) {
    starts_.push_back(frame.start);
    ranges.push_back({frame.start, frame.end, true});
  }
  for (const auto& symbol : symbols_) {
    starts_.push_back(symbol.address);
    if (symbol.size != 0)
      ranges.push_back({symbol.address, symbol.address + symbol.size, true});
  }
  starts_.insert(starts_.end(), go.begin(), go.end());
  std::sort(starts_.begin(), starts_.end());
  starts_.erase(std::unique(starts_.begin(), starts_.end()), starts_.end());

  // Ranges that overlap are one function: an assembly function may have several frame entries, with holes.
  std::sort(ranges.begin(), ranges.end(),
            [](const Function& a, const Function& b) { return a.start < b.start; });
  for (const auto& range : ranges)
    if (!functions_.empty() && range.start < functions_.back().end)
      functions_.back().end = std::max(functions_.back().end, range.end);
    else
      functions_.push_back(range);
}

Function FunctionMap::find(std::uint64_t address) const {
  const auto* region = elf_.text_at(address);
  Function gap{region->address, region->end(), false};
  const auto after =
      std::upper_bound(functions_.begin(), functions_.end(), address,
                       [](std::uint64_t at, const Function& function) { return at < function.start; });
  if (after != functions_.begin()) {
    const auto& before = *std::prev(after);
    if (address < before.end)
      return before;
    gap.start = std::max(gap.start, before.end);
  }
  // Outside of all: from the last start without an end, if there is one here, to the next start of any kind.
  const auto next = std::upper_bound(starts_.begin(), starts_.end(), address);
  if (next != starts_.end())
    gap.end = std::min(gap.end, *next);
  if (next != starts_.begin() && *std::prev(next) >= gap.start) {
    gap.start = *std::prev(next);
    gap.known = true;
  }
  return gap;
}

std::string_view FunctionMap::name(std::uint64_t address) const {
  auto at =
      std::upper_bound(symbols_.begin(), symbols_.end(), address,
                       [](std::uint64_t value, const Symbol& symbol) { return value < symbol.address; });
  const auto function = find(address);
  std::string_view nearest;
  while (at != symbols_.begin()) {
    --at;
    if (at->address + at->size > address && !at->name.empty())
      return at->name;
    if (at->address < function.start)
      break;
    if (nearest.empty() && at->size == 0)
      nearest = at->name;
  }
  return nearest;
}

std::vector<std::uint64_t> FunctionMap::labels(std::uint64_t start, std::uint64_t end) const {
  const auto first = std::upper_bound(starts_.begin(), starts_.end(), start);
  const auto last = std::lower_bound(first, starts_.end(), end);
  return {first, last};
}

std::span<const FrameEntry> FunctionMap::frames(std::uint64_t start, std::uint64_t end) const {
  const auto before = [](const FrameEntry& entry, std::uint64_t at) { return entry.start < at; };
  const auto first = std::lower_bound(frames_.begin(), frames_.end(), start, before);
  return {first, std::lower_bound(first, frames_.end(), end, before)};
}

const FrameEntry* FunctionMap::frame(std::uint64_t address) const {
  const auto after =
      std::upper_bound(frames_.begin(), frames_.end(), address,
                       [](std::uint64_t at, const FrameEntry& entry) { return at < entry.start; });
  if (after == frames_.begin() || address >= std::prev(after)->end)
    return nullptr;
  return &*std::prev(after);
}

bool FunctionMap::same_frame_row(std::uint64_t one, std::uint64_t other) const {
  const auto* entry = frame(one);
  return entry == frame(other) && (!entry || rewrite::same_frame_row(*entry, one, other));
}

} // namespace ukl::rewrite
