// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/traps.hpp"

#include "rewrite/jump_targets.hpp"
#include "ukl/gate.h"

#include <algorithm>
#include <map>

namespace ukl::rewrite {
namespace {

constexpr std::uint64_t kLargestFunction = 8u << 20; ///< bytes; larger ones are not analysed
constexpr std::uint8_t kFsPrefix = 0x64, kGsPrefix = 0x65, kDsPrefix = 0x3e;

// Follows code instruction by instruction.
class ReachedCode {
public:
  explicit ReachedCode(const ElfView& elf) : elf_(elf) {}

  /// Follows the code at `address` as far as it stays in [start, end).
  void follow(std::uint64_t address, std::uint64_t start, std::uint64_t end) {
    std::vector<std::uint64_t> waiting{address};
    while (!waiting.empty()) {
      auto at = waiting.back();
      waiting.pop_back();
      while (at >= start && at < end) {
        const auto* instruction = reach(at, end);
        if (!instruction)
          break;
        if (instruction->target != 0)
          (instruction->target >= start && instruction->target < end ? waiting : outside_)
              .push_back(instruction->target);
        if (!goes_on(*instruction))
          break;
        at = instruction->end();
      }
    }
  }
  /// Where what was followed since the last call goes outside of its bounds.
  std::vector<std::uint64_t> take_outside() { return std::exchange(outside_, {}); }

  std::vector<TrapSite> traps() const {
    std::vector<TrapSite> found;
    std::uint64_t free_from = 0; // the end of all code before
    for (auto at = code_.begin(); at != code_.end(); ++at) {
      const auto& instruction = at->second;
      const auto next = std::next(at);
      const bool alone =
          instruction.address >= free_from && (next == code_.end() || next->first >= instruction.end());
      free_from = std::max(free_from, instruction.end());
      if (!instruction.trapped || !alone)
        continue;
      if (const auto trap = find_trap(elf_.text_from(instruction.address)))
        found.push_back({instruction, *trap, 0});
    }
    return found;
  }

private:
  // The instruction there, if it is valid and was not reached before.
  const Instruction* reach(std::uint64_t address, std::uint64_t end) {
    const auto bytes = elf_.text_from(address);
    const auto instruction =
        decode_first(bytes.first(std::min<std::uint64_t>(bytes.size(), end - address)), address);
    if (!instruction)
      return nullptr;
    const auto [place, fresh] = code_.try_emplace(address, *instruction);
    return fresh ? &place->second : nullptr;
  }

  bool goes_on(const Instruction& instruction) const {
    if (instruction.flow == Flow::call) {
      // A callee that takes its return address off the stack: what lies behind the call is its data.
      const auto bytes = instruction.target != 0 ? elf_.text_from(instruction.target) : ByteView{};
      const auto first = decode_first(bytes, instruction.target);
      return !first || first->effect != Effect::pop;
    }
    return instruction.flow == Flow::next || instruction.flow == Flow::branch ||
           instruction.flow == Flow::syscall;
  }

  const ElfView& elf_;
  std::map<std::uint64_t, Instruction> code_;
  std::vector<std::uint64_t> outside_;
};

ByteView bytes_of(const ElfView& elf, const Function& function) {
  const auto bytes = elf.text_from(function.start);
  return bytes.first(std::min<std::uint64_t>(bytes.size(), function.size()));
}

// Follows one function, with all that enters it besides its start.
void follow_function(const ElfView& elf, const FunctionMap& map, const Function& function,
                     ReachedCode& reached) {
  reached.follow(function.start, function.start, function.end);
  for (const auto& frame : map.frames(function.start, function.end)) {
    reached.follow(frame.start, function.start, function.end);
    for (const auto pad : landing_pads(elf, frame).value_or(std::vector<std::uint64_t>{}))
      reached.follow(pad, function.start, function.end);
  }
  const auto code = decode(bytes_of(elf, function), function.start);
  const auto is_switch = [](const Instruction& instruction) {
    return instruction.flow == Flow::indirect_jump && instruction.rip_displacement == 0;
  };
  if (!code || std::none_of(code->begin(), code->end(), is_switch))
    return;
  // What a computed jump may lead to. Not what the function only takes the address of: assemblers' functions
  // have their constants behind them, and these may well decode from one end to the other (RC4_options of
  // OpenSSL).
  std::vector<std::uint64_t> references;
  for (const auto& instruction : *code)
    references.push_back(instruction.reference);
  std::sort(references.begin(), references.end());
  const auto entries = find_entries(elf, map, function, *code, {});
  for (const auto& instruction : *code)
    if (std::binary_search(entries.other.begin(), entries.other.end(), instruction.address) &&
        !std::binary_search(references.begin(), references.end(), instruction.address))
      reached.follow(instruction.address, function.start, function.end);
}

bool has_known_extent(const FunctionMap& map, std::uint64_t address) {
  const auto& functions = map.functions();
  const auto after =
      std::upper_bound(functions.begin(), functions.end(), address,
                       [](std::uint64_t at, const Function& function) { return at < function.start; });
  return after != functions.begin() && address < std::prev(after)->end;
}

// glibc's and gcc's _start ends with `hlt` after its call of __libc_start_main, which never returns. Nearly
// every program would have a segment of ours for that one byte, and gdb, which compares program headers,
// would not find where it is loaded.
bool stands_after_main(const ElfView& elf, const TrapSite& site) {
  constexpr std::uint8_t kHalt = 0xf4, kCall = 0xe8, kIndirect = 0xff, kThroughMemory = 0x15;
  constexpr std::uint64_t kLongestStart = 64;
  const std::uint64_t address = site.instruction.address, entry = elf.header.e_entry;
  const auto* region = elf.text_at(address);
  if (!region || address < entry + 6 || address > entry + kLongestStart || !region->contains(entry))
    return false;
  const auto byte = [&](std::uint64_t at) { return region->bytes[at - region->address]; };
  return byte(address) == kHalt && (byte(address - 5) == kCall ||
                                    (byte(address - 6) == kIndirect && byte(address - 5) == kThroughMemory));
}

} // namespace

std::vector<TrapSite> find_traps(const ElfView& elf, const FunctionMap& map) {
  if (elf.text_relocations)
    return {};
  ReachedCode reached(elf);
  std::vector<std::uint64_t> outside{elf.header.e_entry};
  for (const auto& function : map.functions()) {
    if (function.size() > kLargestFunction || !elf.text_at(function.start))
      continue;
    auto scan = scan_code(bytes_of(elf, function), function.start);
    if (!scan.decodes || scan.trapped) {
      follow_function(elf, map, function, reached);
      scan.leads_to = reached.take_outside();
    }
    outside.insert(outside.end(), scan.leads_to.begin(), scan.leads_to.end());
    // Each leads to the same few again and again.
    if (outside.size() > 1 << 20) {
      std::sort(outside.begin(), outside.end());
      outside.erase(std::unique(outside.begin(), outside.end()), outside.end());
    }
  }
  // What is called out of all that, and lies in no function that we know.
  while (!outside.empty()) {
    std::sort(outside.begin(), outside.end());
    outside.erase(std::unique(outside.begin(), outside.end()), outside.end());
    for (const auto address : outside) {
      const auto* region = elf.text_at(address);
      if (!region || has_known_extent(map, address))
        continue;
      const auto& functions = map.functions();
      const auto next =
          std::upper_bound(functions.begin(), functions.end(), address,
                           [](std::uint64_t at, const Function& function) { return at < function.start; });
      auto start = region->address, end = region->end();
      if (next != functions.end())
        end = std::min(end, next->start);
      if (next != functions.begin())
        start = std::max(start, std::prev(next)->end);
      reached.follow(address, start, end);
    }
    outside = reached.take_outside();
  }
  auto traps = reached.traps();
  std::erase_if(traps, [&](const TrapSite& site) { return stands_after_main(elf, site); });
  return traps;
}

void write_traps(Bytes& elf, const ElfView& view, const std::vector<TrapSite>& traps) {
  for (const auto& site : traps) {
    const auto text = view.text_from(site.instruction.address);
    const auto offset = static_cast<std::size_t>(text.data() - view.bytes.data());
    if (site.trap.kind != 0) {
      elf[offset] = UKL_TRAP_BYTE;
      continue;
    }
    for (std::size_t at = offset; at < offset + site.trap.size; ++at)
      if (elf[at] == kGsPrefix || elf[at] == kFsPrefix)
        elf[at] = kDsPrefix;
  }
}

Bytes make_trap_table(const ElfView& view, const std::vector<TrapSite>& traps) {
  std::vector<ukl_trap> records;
  for (const auto& site : traps) {
    if (site.trap.kind == 0)
      continue;
    const auto text = view.text_from(site.instruction.address);
    ukl_trap record{};
    record.offset = static_cast<unsigned long long>(text.data() - view.bytes.data());
    record.copy = site.copy != 0 ? static_cast<long long>(site.copy - site.instruction.address) : 0;
    record.operand = site.trap.operand;
    record.kind = site.trap.kind;
    record.length = site.instruction.length;
    record.size = site.trap.size;
    record.first_byte = text[0];
    records.push_back(record);
  }
  std::sort(records.begin(), records.end(),
            [](const ukl_trap& a, const ukl_trap& b) { return a.offset < b.offset; });
  Bytes table(records.size() * sizeof(ukl_trap));
  if (!records.empty())
    std::memcpy(table.data(), records.data(), table.size());
  return table;
}

} // namespace ukl::rewrite
