// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/jump_targets.hpp"

#include <algorithm>
#include <array>

namespace ukl::rewrite {
namespace {

constexpr std::uint64_t kShortReach = 130; ///< bytes: the reach of an 8-bit jump and its own length
constexpr unsigned kLongestTable = 65536;  ///< entries
constexpr std::uint8_t kLockPrefix = 0xf0;

void sort_unique(std::vector<std::uint64_t>& list) {
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
}

std::uint64_t signed_32(const std::uint8_t* at) {
  std::int32_t value;
  std::memcpy(&value, at, sizeof value);
  return static_cast<std::uint64_t>(std::int64_t{value});
}

// Answers "in which of the functions does this address lie?" fast for the many that lie in none: a bit per
// granule.
class FunctionFilter {
public:
  explicit FunctionFilter(const std::vector<Function>& functions) : functions_(functions) {
    if (functions.empty())
      return;
    low_ = functions.front().start;
    high_ = functions.back().end;
    for (shift_ = 7; ((high_ - low_) >> shift_) >= kMostGranules;)
      ++shift_;
    bits_.resize(((high_ - low_) >> shift_) + 1);
    for (const auto& function : functions)
      for (auto at = (function.start - low_) >> shift_; at <= (function.end - 1 - low_) >> shift_; ++at)
        bits_[at] = true;
  }
  /// The function that has `address` behind its first byte, or null.
  const Function* inside(std::uint64_t address) const {
    if (address - low_ >= high_ - low_ || !bits_[(address - low_) >> shift_])
      return nullptr;
    const auto after =
        std::upper_bound(functions_.begin(), functions_.end(), address,
                         [](std::uint64_t at, const Function& function) { return at < function.start; });
    if (after == functions_.begin())
      return nullptr;
    const auto& function = *std::prev(after);
    return address > function.start && address < function.end ? &function : nullptr;
  }

private:
  static constexpr std::uint64_t kMostGranules = 1 << 24;
  const std::vector<Function>& functions_;
  std::uint64_t low_ = 0, high_ = 0;
  unsigned shift_ = 0;
  std::vector<bool> bits_;
};

// True for a byte with which one of the instructions below begins; most bytes are none.
constexpr auto kMayRefer = [] {
  std::array<bool, 256> table{};
  for (const int byte : {0xe8, 0xe9, 0x0f, 0x8d, 0xc7})
    table[static_cast<std::size_t>(byte)] = true;
  return table;
}();

void add_code_references(const Region& region, const FunctionFilter& filter,
                         std::vector<std::uint64_t>& found) {
  const auto* bytes = region.bytes.data();
  const auto size = region.bytes.size();
  for (std::size_t at = 0; at + 5 <= size; ++at) {
    const auto byte = bytes[at];
    if (!kMayRefer[byte])
      continue;
    const auto second = bytes[at + 1];
    auto displacement = at + 2;
    if (byte == 0xe8 || byte == 0xe9) // call, jmp
      displacement = at + 1;
    else if (!(byte == 0x0f && (second & 0xf0) == 0x80) && // jcc
             !(byte == 0x8d && (second & 0xc7) == 0x05) && // lea disp(%rip)
             !(byte == 0xc7 && second == 0xf8))            // xbegin
      continue;
    if (displacement + 4 > size)
      continue;
    const auto target = region.address + displacement + 4 + signed_32(bytes + displacement);
    const auto* function = filter.inside(target);
    const auto source = region.address + at;
    if (function && (source < function->start || source >= function->end))
      found.push_back(target);
  }
}

void add_data_references(const Region& region, const FunctionFilter& filter,
                         std::vector<std::uint64_t>& found) {
  const auto* bytes = region.bytes.data();
  const auto size = region.bytes.size();
  const auto first = (8 - region.address % 8) % 8;
  for (std::size_t at = first; at + 8 <= size; at += 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes + at, sizeof word);
    if (filter.inside(word))
      found.push_back(word);
  }
}

// The entries of a 32-bit jump table, as far as all of them point into code. They are relative to `base`, or
// each to its own place if `base` is 0.
void add_table(const ElfView& elf, const Function& function, std::uint64_t table, std::uint64_t base,
               std::vector<std::uint64_t>& found) {
  const auto bytes = elf.at(table);
  for (std::size_t i = 0; i < kLongestTable && (i + 1) * 4 <= bytes.size(); ++i) {
    const auto target = (base != 0 ? base : table + i * 4) + signed_32(bytes.data() + i * 4);
    if (!elf.text_at(target))
      return;
    if (target > function.start && target < function.end)
      found.push_back(target);
  }
}

bool is_boundary(const std::vector<Instruction>& code, std::uint64_t address) {
  const auto at =
      std::lower_bound(code.begin(), code.end(), address,
                       [](const Instruction& entry, std::uint64_t value) { return entry.address < value; });
  return at != code.end() && at->address == address;
}

// True if the instruction leaves in the register what a pointer to a function may have come from: memory
// without an index, a call's result, a constant, another register that holds such a pointer (added to
// `open`).
bool may_hold_pointer(const Instruction& instruction, std::vector<std::uint8_t>& open) {
  if (instruction.flow == Flow::call || instruction.effect == Effect::set ||
      instruction.effect == Effect::pop)
    return true;
  if (instruction.effect == Effect::copy && instruction.value == 0) {
    open.push_back(instruction.from);
    return true;
  }
  return instruction.effect == Effect::load && !instruction.indexed;
}

// A jump into a table needs an index: a computed jump whose target was loaded without one leaves the
// function. Where the straight line before it does not tell, each instruction of the function counts that
// writes the register.
bool jumps_to_pointer(const std::vector<Instruction>& code, std::size_t jump, const Entries& entries) {
  if (code[jump].from == kNoRegister)
    return !code[jump].indexed;
  const auto writes = [&](std::size_t i, std::uint8_t number) {
    constexpr std::uint16_t kChangedByCalls = 0x0fc7; // rax, rcx, rdx, rsi, rdi, r8 to r11 (System V ABI)
    const auto written = code[i].flow == Flow::call ? code[i].written | kChangedByCalls : code[i].written;
    return (written >> number & 1) != 0;
  };
  const auto is_entry = [&](std::uint64_t address) {
    return std::binary_search(entries.direct.begin(), entries.direct.end(), address) ||
           std::binary_search(entries.other.begin(), entries.other.end(), address);
  };
  std::vector<std::uint8_t> open = {code[jump].from};
  for (std::size_t i = jump; i > 0 && !is_entry(code[i].address);) {
    --i;
    if (code[i].flow != Flow::next && code[i].flow != Flow::call && code[i].flow != Flow::branch)
      break;
    if (writes(i, open.back())) {
      if (!may_hold_pointer(code[i], open))
        return false;
      if (open.size() == 1)
        return true;
      break; // a copy: any instruction that writes the other register counts
    }
  }
  for (std::size_t done = open.size() - 1; done < open.size() && open.size() <= 16; ++done)
    for (std::size_t i = 0; i < code.size(); ++i)
      if (writes(i, open[done])) {
        std::vector<std::uint8_t> more;
        if (!may_hold_pointer(code[i], more))
          return false;
        for (const auto number : more)
          if (std::find(open.begin(), open.end(), number) == open.end())
            open.push_back(number);
      }
  return true;
}

// Short jumps from directly before and behind the function to the places that matter: for a site whose number
// is set directly before it, the site itself; for others, all before it too.
class NeighbourJumps {
public:
  NeighbourJumps(const ElfView& elf, const FunctionMap& map, const Function& function,
                 const std::vector<Instruction>& code)
      : map_(map), function_(function), region_(*elf.text_at(function.start)) {
    for (std::size_t i = 0; i < code.size(); ++i)
      if (code[i].flow == Flow::syscall)
        places_.push_back({is_plain_site(code, i) ? code[i].address : function.start + 1, code[i].address});
  }

  void add_to(std::vector<std::uint64_t>& found) const {
    const auto low = std::max(region_.address, function_.start - std::min(function_.start, kShortReach));
    const auto high = std::min(region_.end(), function_.end + kShortReach);
    for (auto at = low; at < high;) {
      if (at == function_.start) {
        at = function_.end;
        continue;
      }
      auto neighbour = map_.find(at);
      if (at < function_.start)
        neighbour.end = std::min(neighbour.end, function_.start);
      const auto begin = std::max(neighbour.start, low), end = std::min(neighbour.end, high);
      const auto suspects = suspicious_bytes(begin, end);
      if (!suspects.empty())
        add_real(neighbour, suspects, found);
      at = neighbour.end;
    }
  }

private:
  struct Suspect {
    std::uint64_t source, target;
  };

  // Every byte may begin a jump.
  std::vector<Suspect> suspicious_bytes(std::uint64_t begin, std::uint64_t end) const {
    std::vector<Suspect> suspects;
    for (auto at = begin; at + 2 <= end; ++at) {
      const auto* raw = region_.bytes.data() + (at - region_.address);
      if (raw[0] != 0xeb && (raw[0] & 0xf0) != 0x70 && (raw[0] & 0xfc) != 0xe0)
        continue;
      const auto target = at + 2 + static_cast<std::uint64_t>(std::int64_t{static_cast<std::int8_t>(raw[1])});
      if (std::any_of(places_.begin(), places_.end(),
                      [&](const Place& place) { return target >= place.first && target <= place.last; }))
        suspects.push_back({at, target});
    }
    return suspects;
  }

  // Decoding the neighbour from its start tells which of the bytes do; where that fails, all of them.
  void add_real(const Function& neighbour, const std::vector<Suspect>& suspects,
                std::vector<std::uint64_t>& found) const {
    constexpr std::uint64_t kLongest = 65536;
    const auto code = neighbour.size() <= kLongest
                          ? decode(region_.bytes.subspan(neighbour.start - region_.address, neighbour.size()),
                                   neighbour.start)
                          : std::nullopt;
    for (const auto& suspect : suspects)
      if (!code || is_boundary(*code, suspect.source))
        found.push_back(suspect.target);
  }

  struct Place {
    std::uint64_t first, last;
  };
  const FunctionMap& map_;
  const Function& function_;
  const Region& region_;
  std::vector<Place> places_;
};

} // namespace

std::vector<std::uint64_t> outside_references(const ElfView& elf, const std::vector<Function>& functions) {
  std::vector<std::uint64_t> found;
  if (functions.empty())
    return found;
  const FunctionFilter filter(functions);
  for (const auto& region : elf.executable)
    add_code_references(region, filter, found);
  for (const auto& region : elf.loaded)
    add_data_references(region, filter, found);
  sort_unique(found);
  return found;
}

Entries find_entries(const ElfView& elf, const FunctionMap& map, const Function& function,
                     const std::vector<Instruction>& code, const std::vector<std::uint64_t>& outside) {
  Entries entries;
  entries.other = map.labels(function.start, function.end);
  entries.other.insert(entries.other.end(), std::upper_bound(outside.begin(), outside.end(), function.start),
                       std::lower_bound(outside.begin(), outside.end(), function.end));

  bool computed = false;
  std::vector<std::uint64_t> tables, bases;
  for (const auto& instruction : code) {
    if (instruction.flow == Flow::jump || instruction.flow == Flow::branch) {
      if (instruction.target > function.start && instruction.target < function.end)
        entries.direct.push_back(instruction.target);
    } else if (instruction.flow == Flow::call) {
      if (instruction.target > function.start && instruction.target < function.end)
        entries.other.push_back(instruction.target);
    } else if (instruction.flow == Flow::indirect_jump && instruction.rip_displacement == 0) {
      computed = true; // through one fixed pointer it would be a call to another function
    }
    if (instruction.reference == 0)
      continue;
    if (instruction.reference > function.start && instruction.reference < function.end)
      entries.other.push_back(instruction.reference);
    (elf.text_at(instruction.reference) ? bases : tables).push_back(instruction.reference);
  }
  if (computed) {
    sort_unique(tables);
    sort_unique(bases);
    const auto* region = elf.text_at(function.start);
    auto found = std::count_if(entries.other.begin(), entries.other.end(), [&](std::uint64_t at) {
      return std::binary_search(outside.begin(), outside.end(), at) && is_boundary(code, at);
    });
    const auto before = entries.other.size();
    for (const auto table : tables) {
      add_table(elf, function, table, table, entries.other);
      add_table(elf, function, table, 0, entries.other);
      for (const auto base : bases)
        add_table(elf, function, table, base, entries.other);
    }
    for (const auto base : bases) // a table in the text itself
      if (region->contains(base))
        add_table(elf, function, base, base, entries.other);
    found += static_cast<std::ptrdiff_t>(entries.other.size() - before);
    entries.unresolved_jump = found == 0;
  }

  for (const auto& frame : map.frames(function.start, function.end)) {
    const auto pads = landing_pads(elf, frame);
    if (pads)
      entries.other.insert(entries.other.end(), pads->begin(), pads->end());
    else
      entries.unreadable_exceptions = true;
  }
  NeighbourJumps(elf, map, function, code).add_to(entries.other);
  sort_unique(entries.direct);
  sort_unique(entries.other);

  if (entries.unresolved_jump) {
    entries.pointer_jumps = true;
    for (std::size_t i = 0; i < code.size(); ++i)
      if (code[i].flow == Flow::indirect_jump && code[i].rip_displacement == 0)
        entries.pointer_jumps = entries.pointer_jumps && jumps_to_pointer(code, i, entries);
  }

  for (const auto target : entries.direct) {
    // A branch over a lock prefix is the one overlap that compilers and C libraries make on purpose.
    if (is_boundary(code, target))
      continue;
    const auto byte = elf.text_from(target - 1);
    if (byte.empty() || byte[0] != kLockPrefix || !is_boundary(code, target - 1))
      entries.overlapping = true;
  }
  return entries;
}

bool is_referred_to(const ElfView& elf, std::uint64_t address) {
  for (const auto& region : elf.executable) {
    const auto* bytes = region.bytes.data();
    for (std::size_t at = 0; at + 4 <= region.bytes.size(); ++at) {
      std::uint32_t word;
      std::memcpy(&word, bytes + at, sizeof word);
      if ((address <= 0xffffffff && word == address) ||
          region.address + at + 4 + signed_32(bytes + at) == address)
        return true;
    }
  }
  for (const auto& region : elf.loaded)
    for (std::size_t at = (8 - region.address % 8) % 8; at + 8 <= region.bytes.size(); at += 8)
      if (*load<std::uint64_t>(region.bytes, at) == address)
        return true;
  return false;
}

bool is_only_loaded(const ElfView& elf, std::uint64_t address) {
  constexpr std::uint8_t kLoad = 0x8b, kTwoBytes = 0x0f;
  for (const auto& region : elf.executable) {
    const auto* bytes = region.bytes.data();
    for (std::size_t at = 3; at + 4 <= region.bytes.size(); ++at) {
      std::uint32_t word;
      std::memcpy(&word, bytes + at, sizeof word);
      if (address <= 0xffffffff && word == address)
        return false;
      if ((bytes[at - 1] & 0xc7) != 0x05) // no operand relative to RIP
        continue;
      // That is relative to the instruction's end, before which an immediate of up to four bytes may stand.
      const auto target = region.address + at + 4 + signed_32(bytes + at);
      const auto behind = address - target;
      if (behind == 0 && bytes[at - 2] == kLoad && bytes[at - 3] != kTwoBytes)
        continue;
      const bool touches = behind <= 4 || target - address < 8;
      const bool wide = bytes[at - 3] == kTwoBytes && behind < 16; // 16 bytes from before it
      if (touches || wide)
        return false;
    }
  }
  for (const auto& region : elf.loaded)
    for (std::size_t at = (8 - region.address % 8) % 8; at + 8 <= region.bytes.size(); at += 8) {
      const auto word = *load<std::uint64_t>(region.bytes, at);
      if (word - address <= 7)
        return false;
    }
  return true;
}

bool is_plain_site(const std::vector<Instruction>& code, std::size_t site) {
  if (site == 0)
    return false;
  const auto& before = code[site - 1];
  return before.effect == Effect::set && before.to == 0 && before.length >= 5;
}

bool any_between(const std::vector<std::uint64_t>& sorted, std::uint64_t after, std::uint64_t before) {
  const auto at = std::upper_bound(sorted.begin(), sorted.end(), after);
  return at != sorted.end() && *at < before;
}

} // namespace ukl::rewrite
