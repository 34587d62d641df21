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

} // namespace

std::vector<PlannedSite> plan_sites(const ElfView& elf) {
  const FunctionMap map(elf);
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
    for (const auto address : entry.undecodable) {
      PlannedSite site;
      site.site.address = address;
      site.site.function = map.name(address);
      site.site.reason = Reason::undecodable;
      planned.push_back(std::move(site));
    }
    if (entry.sites.empty())
      continue;
    const auto entries = find_entries(elf, map, entry.function, entry.code, outside);
    const bool calls_keep_registers = !map.is_go();
    Reason unsafe = Reason::none; // why nothing but a plain site may be touched in this function
    if (!entry.function.known || entries.unreadable_exceptions)
      unsafe = Reason::undecodable;
    else if (entries.overlapping)
      unsafe = Reason::overlapping_code;
    else if (entries.unresolved_jump || restartable_sequences)
      unsafe = Reason::indirect_jump;
    std::vector<SiteValues> values;
    std::vector<Question> questions;
    for (const auto index : entry.sites)
      questions.push_back({index, kRax});
    if (unsafe == Reason::none)
      values = follow_numbers(entry.code, entries, questions, calls_keep_registers);
    const auto unknown = [](const SiteValues& value) { return !value.number.is_known(); };
    if (std::any_of(values.begin(), values.end(), unknown) && end_calls_without_return(elf, map, entry.code))
      values = follow_numbers(entry.code, entries, questions, calls_keep_registers);

    auto islands = find_islands(elf, map, entry.function, entry.code, entries);

    for (std::size_t i = 0; i < entry.sites.size(); ++i) {
      const auto index = entry.sites[i];
      const auto& instruction = entry.code[index];
      const bool plain = is_plain_site(entry.code, index);
      PlannedSite site;
      site.site.address = instruction.address;
      site.site.function = map.name(instruction.address);
      if (!values.empty())
        site.site.numbers = call_numbers(values[i].number);
      else if (plain &&
               !std::binary_search(entries.direct.begin(), entries.direct.end(), instruction.address))
        site.site.numbers = {static_cast<std::uint32_t>(entry.code[index - 1].value)};

      std::size_t first = index;
      if (site.site.numbers.empty())
        site.site.numbers = identity_change_numbers(elf, entry.code, index);
      if (!values.empty() && site.site.numbers.empty())
        site.argument_register = values[i].number.argument_register();
      if (is_signal_return(elf, instruction.address))
        site.site.numbers = {__NR_rt_sigreturn};
      if (std::binary_search(site.site.numbers.begin(), site.site.numbers.end(), __NR_rt_sigreturn))
        site.site.reason = Reason::signal_return;
      else if (elf.text_relocations)
        site.site.reason = Reason::text_relocation;
      else if (instruction.length != 2)
        site.site.reason = Reason::prefixed;
      else if (is_cancellation_name(site.site.function) || is_cancellation_point(elf, entry.code, index))
        site.site.reason = Reason::cancellation_range;
      else if (plain)
        first = index - 1;
      else if (unsafe != Reason::none)
        site.site.reason = unsafe;
      else
        site.site.reason = choose_window(entry, index, entries, first);

      if (site.site.reason == Reason::none && !plain && !values[i].reached)
        site.site.reason = Reason::jump_target;
      if (site.site.reason == Reason::none && instruction.address - entry.code[first].address < kJumpLength) {
        if (auto island = take_island(map, islands, entry.code[first].address))
          site.island = *island;
        else
          site.site.reason =
              first == 0 || !entry.code[first - 1].movable ? Reason::no_room : Reason::jump_target;
      }
      if (site.site.reason == Reason::none) {
        site.window = entry.code[first].address;
        auto numbers = call_numbers(plain ? Value::constant(entry.code[index - 1].value)
                                          : number_after(entry.code, values[i].block, {index, kRax},
                                                         values[i].at_block, calls_keep_registers));
        const bool by_number = numbers.size() == 1 && numbers[0] < UKL_GATE_CALLS;
        site.entry = by_number ? numbers[0] : UKL_GATE_INDEXED;
        site.site.treatment = by_number ? Treatment::jump_by_number : Treatment::jump_indexed;
        // An entry reached by number does not look at RAX, so a plain site's `mov` need not be run at all.
        if (!(plain && by_number))
          for (auto at = first; at < index; ++at)
            site.displaced.push_back(entry.code[at]);
      }
      planned.push_back(std::move(site));
    }
  }
  std::sort(planned.begin(), planned.end(),
            [](const PlannedSite& a, const PlannedSite& b) { return a.site.address < b.site.address; });
  return planned;
}

} // namespace ukl::rewrite
