// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/plan.hpp"

#include "rewrite/c_library_code.hpp"
#include "rewrite/jump_targets.hpp"
#include "rewrite/no_return.hpp"
#include "rewrite/numbers.hpp"

#include <algorithm>
#include <asm/unistd_64.h>

namespace ukl::rewrite {
namespace {

constexpr std::uint64_t kLargestFunction = 8u << 20; ///< bytes; larger ones are not analysed
constexpr std::uint8_t kRax = 0;
constexpr unsigned kJumpLength = 5, kShortJumpLength = 2; ///< bytes

// A function with sites. Code that does not decode has no instructions and one site per byte pair.
struct SiteFunction {
  Function function;
  std::vector<Instruction> code;
  std::vector<std::size_t> sites; ///< indices into code
  std::vector<std::uint64_t> undecodable;
};

// Addresses of the byte pair 0F 05, which is in every `syscall` and now and then in other things.
std::vector<std::uint64_t> find_pairs(const ElfView& elf) {
  std::vector<std::uint64_t> found;
  for (const auto& region : elf.executable) {
    const auto* begin = region.bytes.data();
    const auto* end = begin + region.bytes.size();
    for (const auto* at = begin; end - at >= 2; ++at) {
      at = static_cast<const std::uint8_t*>(std::memchr(at, 0x05, static_cast<std::size_t>(end - at)));
      if (!at)
        break;
      if (at != begin && at[-1] == 0x0f)
        found.push_back(region.address + static_cast<std::uint64_t>(at - begin) - 1);
    }
  }
  return found;
}

void decode_function(const ElfView& elf, SiteFunction& entry) {
  const auto* region = elf.text_at(entry.function.start);
  if (entry.function.size() > kLargestFunction || entry.function.end > region->end())
    return;
  auto code = decode(region->bytes.subspan(entry.function.start - region->address, entry.function.size()),
                     entry.function.start);
  if (code)
    entry.code = std::move(*code);
}

// glibc's clone functions hide their `syscall` from unwinders between two frame entries, so without symbols
// it seems to lie in a gap. Where control falls from a function into the gap behind it, the two are one.
bool join_with_previous(const ElfView& elf, const FunctionMap& map, SiteFunction& gap) {
  const auto* region = elf.text_at(gap.function.start);
  if (gap.function.known || gap.function.start == region->address)
    return false;
  SiteFunction joined;
  joined.function = map.find(gap.function.start - 1);
  const auto border = gap.function.start;
  if (!joined.function.known || joined.function.end != border)
    return false;
  joined.function.end = gap.function.end;
  decode_function(elf, joined);
  const auto behind = std::lower_bound(
      joined.code.begin(), joined.code.end(), border,
      [](const Instruction& instruction, std::uint64_t address) { return instruction.address < address; });
  if (behind == joined.code.end() || behind == joined.code.begin() || behind->address != border ||
      std::prev(behind)->flow != Flow::next)
    return false;
  gap = std::move(joined);
  return true;
}

std::vector<SiteFunction> find_functions(const ElfView& elf, const FunctionMap& map) {
  std::vector<SiteFunction> functions;
  for (const auto pair : find_pairs(elf)) {
    if (!functions.empty() && pair < functions.back().function.end) {
      if (functions.back().code.empty())
        functions.back().undecodable.push_back(pair);
      continue;
    }
    SiteFunction entry;
    entry.function = map.find(pair);
    if (join_with_previous(elf, map, entry)) {
      if (!functions.empty() && functions.back().function.start == entry.function.start)
        functions.pop_back();
    } else {
      decode_function(elf, entry);
    }
    if (entry.code.empty())
      entry.undecodable.push_back(pair);
    for (std::size_t i = 0; i < entry.code.size(); ++i)
      if (entry.code[i].flow == Flow::syscall)
        entry.sites.push_back(i);
    functions.push_back(std::move(entry));
  }
  return functions;
}

std::vector<std::uint32_t> call_numbers(const Value& value) {
  std::vector<std::uint32_t> numbers;
  for (const auto number : value.numbers())
    numbers.push_back(static_cast<std::uint32_t>(number)); // Linux takes EAX
  std::sort(numbers.begin(), numbers.end());
  numbers.erase(std::unique(numbers.begin(), numbers.end()), numbers.end());
  return numbers;
}

// Chooses the instructions to move, if possible five bytes, at least the two of a short jump; gives the
// reason if there are none.
Reason choose_window(const SiteFunction& entry, std::size_t site, const Entries& entries,
                     std::size_t& first) {
  const auto& code = entry.code;
  const auto room = [&](std::size_t from) { return code[site].address - code[from].address; };
  Reason reason = Reason::none;
  first = site;
  while (room(first) < kJumpLength) {
    if (first == 0 || !code[first - 1].movable) {
      reason = Reason::no_room;
      break;
    }
    // Control may enter at the window's start and at the site itself, but nowhere between.
    if (any_between(entries.direct, code[first - 1].address, code[site].address) ||
        any_between(entries.other, code[first - 1].address, code[site].address)) {
      reason = Reason::jump_target;
      break;
    }
    --first;
  }
  return room(first) >= kShortJumpLength ? Reason::none : reason;
}

// What is known of a function with sites once its code has been followed.
struct Analysis {
  Entries entries;
  Reason unsafe = Reason::none;   ///< why nothing but a plain site may be touched in it
  std::vector<SiteValues> values; ///< by site; empty if the code cannot be followed
  bool calls_keep_registers = true;
};

Analysis analyse(const ElfView& elf, const FunctionMap& map, SiteFunction& entry,
                 const std::vector<std::uint64_t>& outside, bool restartable_sequences) {
  Analysis analysis;
  analysis.entries = find_entries(elf, map, entry.function, entry.code, outside);
  analysis.calls_keep_registers = !map.is_go();
  const auto& entries = analysis.entries;
  if (!entry.function.known || entries.unreadable_exceptions)
    analysis.unsafe = Reason::undecodable;
  else if (entries.overlapping)
    analysis.unsafe = Reason::overlapping_code;
  else if (entries.unresolved_jump || restartable_sequences)
    analysis.unsafe = Reason::indirect_jump;
  if (analysis.unsafe != Reason::none)
    return analysis;
  std::vector<Question> questions;
  for (const auto index : entry.sites)
    questions.push_back({index, kRax});
  const auto follow = [&] {
    return follow_numbers(entry.code, entries, questions, analysis.calls_keep_registers);
  };
  analysis.values = follow();
  const auto unknown = [](const SiteValues& value) { return !value.number.is_known(); };
  if (std::any_of(analysis.values.begin(), analysis.values.end(), unknown) &&
      end_calls_without_return(elf, map, entry.code))
    analysis.values = follow();
  return analysis;
}

// One site of an analysed function.
struct SiteInCode {
  const SiteFunction& entry;
  const Analysis& analysis;
  std::size_t index;        ///< of its instruction in the code
  const SiteValues* values; ///< null if the code cannot be followed
  bool plain;               ///< is_plain_site

  const Instruction& instruction() const { return entry.code[index]; }
  const Instruction& before() const { return entry.code[index - 1]; }
};

void find_number(const ElfView& elf, const SiteInCode& in_code, PlannedSite& planned) {
  auto& numbers = planned.site.numbers;
  const auto address = in_code.instruction().address;
  const auto& direct = in_code.analysis.entries.direct;
  if (in_code.values)
    numbers = call_numbers(in_code.values->number);
  else if (in_code.plain && !std::binary_search(direct.begin(), direct.end(), address))
    numbers = {static_cast<std::uint32_t>(in_code.before().value)};
  if (numbers.empty())
    numbers = identity_change_numbers(elf, in_code.entry.code, in_code.index);
  if (in_code.values && numbers.empty())
    planned.argument_register = in_code.values->number.argument_register();
  if (is_signal_return(elf, address))
    numbers = {__NR_rt_sigreturn};
}

// Why the site has to stay as it is, or none and in `first` the first instruction to move.
Reason find_window(const ElfView& elf, const SiteInCode& in_code, const Site& site, std::size_t& first) {
  first = in_code.index;
  if (std::binary_search(site.numbers.begin(), site.numbers.end(), __NR_rt_sigreturn))
    return Reason::signal_return;
  if (elf.text_relocations)
    return Reason::text_relocation;
  if (in_code.instruction().length != 2)
    return Reason::prefixed;
  if (is_cancellation_name(site.function) || is_cancellation_point(elf, in_code.entry.code, in_code.index))
    return Reason::cancellation_range;
  if (in_code.plain) {
    first = in_code.index - 1;
    return Reason::none;
  }
  if (in_code.analysis.unsafe != Reason::none)
    return in_code.analysis.unsafe;
  const auto reason = choose_window(in_code.entry, in_code.index, in_code.analysis.entries, first);
  return reason == Reason::none && !in_code.values->reached ? Reason::jump_target : reason;
}

// Where the window is too short for a jump to the stub, an island within reach makes up for it.
Reason find_island(const FunctionMap& map, const SiteInCode& in_code, std::size_t first,
                   std::vector<Padding>& islands, Island& island) {
  const auto& code = in_code.entry.code;
  if (in_code.instruction().address - code[first].address >= kJumpLength)
    return Reason::none;
  if (auto taken = take_island(map, islands, code[first].address)) {
    island = *taken;
    return Reason::none;
  }
  return first == 0 || !code[first - 1].movable ? Reason::no_room : Reason::jump_target;
}

// Which entry of the gate the stub jumps to, and what it runs before.
void choose_entry(const SiteInCode& in_code, std::size_t first, PlannedSite& planned) {
  const auto& code = in_code.entry.code;
  planned.window = code[first].address;
  const auto numbers = call_numbers(
      in_code.plain ? Value::constant(in_code.before().value)
                    : number_after(code, in_code.values->block, {in_code.index, kRax},
                                   in_code.values->at_block, in_code.analysis.calls_keep_registers));
  const bool by_number = numbers.size() == 1 && numbers[0] < UKL_GATE_CALLS;
  planned.entry = by_number ? numbers[0] : UKL_GATE_INDEXED;
  planned.site.treatment = by_number ? Treatment::jump_by_number : Treatment::jump_indexed;
  // An entry reached by number does not look at RAX, so a plain site's `mov` need not be run at all.
  if (!(in_code.plain && by_number))
    for (auto at = first; at < in_code.index; ++at)
      planned.displaced.push_back(code[at]);
}

PlannedSite plan_site(const ElfView& elf, const FunctionMap& map, const SiteInCode& in_code,
                      std::vector<Padding>& islands) {
  PlannedSite planned;
  auto& site = planned.site;
  site.address = in_code.instruction().address;
  site.function = map.name(site.address);
  find_number(elf, in_code, planned);
  std::size_t first = in_code.index;
  site.reason = find_window(elf, in_code, site, first);
  if (site.reason == Reason::none)
    site.reason = find_island(map, in_code, first, islands, planned.island);
  if (site.reason == Reason::none)
    choose_entry(in_code, first, planned);
  return planned;
}

PlannedSite undecodable_site(const FunctionMap& map, std::uint64_t address) {
  PlannedSite planned;
  planned.site.address = address;
  planned.site.function = map.name(address);
  planned.site.reason = Reason::undecodable;
  return planned;
}

} // namespace

std::vector<PlannedSite> plan_sites(const ElfView& elf, const FunctionMap& map) {
  auto functions = find_functions(elf, map);
  std::vector<Function> analysed;
  for (const auto& entry : functions)
    if (!entry.sites.empty())
      analysed.push_back(entry.function);
  const auto outside = outside_references(elf, analysed);
  const bool restartable_sequences =
      std::any_of(elf.sections.begin(), elf.sections.end(),
                  [](const Section& section) { return section.name.substr(0, 9) == "__rseq_cs"; });

  std::vector<PlannedSite> planned;
  for (auto& entry : functions) {
    for (const auto address : entry.undecodable)
      planned.push_back(undecodable_site(map, address));
    if (entry.sites.empty())
      continue;
    const auto analysis = analyse(elf, map, entry, outside, restartable_sequences);
    auto islands = find_islands(elf, map, entry.function, entry.code, analysis.entries);
    for (std::size_t i = 0; i < entry.sites.size(); ++i) {
      const auto index = entry.sites[i];
      planned.push_back(
          plan_site(elf, map,
                    {entry, analysis, index, analysis.values.empty() ? nullptr : &analysis.values[i],
                     is_plain_site(entry.code, index)},
                    islands));
    }
  }
  std::sort(planned.begin(), planned.end(),
            [](const PlannedSite& a, const PlannedSite& b) { return a.site.address < b.site.address; });
  return planned;
}

} // namespace ukl::rewrite
