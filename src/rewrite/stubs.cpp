// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/stubs.hpp"

#include <algorithm>
#include <limits>

namespace ukl::rewrite {
namespace {

constexpr std::uint64_t kNearJumpLength = 5;
constexpr std::uint64_t kLeaLength = 7,
                        kJumpLength = 7; ///< bytes of the two instructions every stub ends with

bool fits_32(std::uint64_t difference) {
  const auto value = static_cast<std::int64_t>(difference);
  return value >= std::numeric_limits<std::int32_t>::min() &&
         value <= std::numeric_limits<std::int32_t>::max();
}

void append_32(Bytes& code, std::uint64_t value) {
  for (unsigned shift = 0; shift < 32; shift += 8)
    code.push_back(static_cast<std::uint8_t>(value >> shift));
}

std::uint64_t stub_length(const PlannedSite& site) {
  std::uint64_t length = kLeaLength + kJumpLength;
  for (const auto& instruction : site.displaced)
    length += instruction.length;
  return length;
}

// True if everything in the stub that is relative to its own place can be said in 32 bits.
bool reaches(const PlannedSite& site, std::uint64_t stub) {
  if (!fits_32(stub - site.window) || !fits_32(site.window - stub))
    return false;
  for (const auto& instruction : site.displaced)
    if (instruction.rip_displacement != 0 && (!fits_32(instruction.reference - stub) ||
                                              !fits_32(instruction.reference - (stub + stub_length(site)))))
      return false;
  if (site.island.address != 0 && !fits_32(stub - (site.island.address + kJumpLength)))
    return false;
  return fits_32(site.window - (stub + stub_length(site)));
}

} // namespace

Stubs make_stubs(const ElfView& elf, std::vector<PlannedSite>& sites, std::uint64_t address,
                 std::uint64_t gate, std::vector<std::uint64_t>& stub_of_site) {
  Stubs stubs;
  stub_of_site.assign(sites.size(), 0);
  for (std::size_t i = 0; i < sites.size(); ++i) {
    auto& site = sites[i];
    if (site.site.treatment == Treatment::left)
      continue;
    const auto here = [&] { return address + stubs.code.size(); };
    if (!reaches(site, here())) {
      site.site.treatment = Treatment::left;
      site.site.reason = Reason::too_far;
      continue;
    }
    stub_of_site[i] = here();
    const auto resume = site.site.address + 2;
    const auto row = [&] { stubs.rows.push_back({here(), resume}); };
    if (site.island.address != 0 && site.island.between_functions)
      stubs.islands.push_back({site.island.address, resume});
    for (const auto& instruction : site.displaced) {
      row();
      const auto moved = instruction.address - here(); // how far its operand is further away from the stub
      const auto bytes = elf.text_from(instruction.address);
      const auto start = stubs.code.size();
      stubs.code.insert(stubs.code.end(), bytes.begin(), bytes.begin() + instruction.length);
      if (instruction.rip_displacement == 0)
        continue;
      std::uint32_t displacement;
      auto* place = stubs.code.data() + start + instruction.rip_displacement;
      std::memcpy(&displacement, place, sizeof displacement);
      displacement += static_cast<std::uint32_t>(moved);
      std::memcpy(place, &displacement, sizeof displacement);
    }
    row();
    stubs.code.insert(stubs.code.end(), {0x48, 0x8d, 0x0d}); // lea resume(%rip),%rcx
    append_32(stubs.code, resume - (here() + 4));
    row();
    stubs.code.insert(stubs.code.end(), {0xff, 0x24, 0x25}); // jmp *entry
    append_32(stubs.code, gate + UKL_GATE_ENTRY_SIZE * std::uint64_t{site.entry});
  }
  std::sort(stubs.islands.begin(), stubs.islands.end(),
            [](const Stubs::Row& a, const Stubs::Row& b) { return a.address < b.address; });
  return stubs;
}

void add_copies(const ElfView& elf, std::vector<TrapSite>& traps, std::uint64_t address, Stubs& stubs) {
  for (auto& trap : traps) {
    const auto& instruction = trap.instruction;
    const auto copy = address + stubs.code.size();
    const bool relative = instruction.rip_displacement != 0;
    if (!trap.trap.needs_copy ||
        !fits_32(instruction.end() - (copy + instruction.length + kNearJumpLength)) ||
        (relative && !fits_32(instruction.reference - (copy + instruction.length))))
      continue;
    trap.copy = copy;
    const auto bytes = elf.text_from(instruction.address);
    stubs.rows.push_back({copy, instruction.end()});
    stubs.code.insert(stubs.code.end(), bytes.begin(), bytes.begin() + instruction.length);
    if (relative) {
      const auto displacement =
          static_cast<std::uint32_t>(instruction.reference - (copy + instruction.length));
      std::memcpy(stubs.code.data() + (copy - address) + instruction.rip_displacement, &displacement,
                  sizeof displacement);
    }
    stubs.rows.push_back({address + stubs.code.size(), instruction.end()});
    stubs.code.push_back(0xe9);
    append_32(stubs.code, instruction.end() - (address + stubs.code.size() + 4));
  }
}

} // namespace ukl::rewrite
