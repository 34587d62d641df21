// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/called_pointers.hpp"

#include "rewrite/numbers.hpp"

#include <algorithm>

namespace ukl::rewrite {
namespace {

// Registers that may hold the pointer: bit n for number n.
using Mask = std::uint16_t;

Mask bit(std::uint8_t number) {
  return number < 16 ? static_cast<Mask>(1u << number) : Mask{0};
}

bool leaves(const Instruction& instruction) {
  return instruction.flow == Flow::call || instruction.flow == Flow::indirect_jump || instruction.returns;
}

class Follower {
public:
  Follower(const std::vector<Instruction>& code, std::uint64_t slot, bool calls_keep_registers)
      : code_(code), slot_(slot), kept_(calls_keep_registers ? kKeptByCalls : Mask{0}),
        before_(code.size() + 1) {}

  std::optional<std::vector<std::size_t>> follow(const Entries& entries) {
    // Until nothing is added: masks only grow.
    for (bool grows = true; grows;) {
      grows = false;
      Mask anywhere = 0;
      for (std::size_t i = 0; i < code_.size(); ++i) {
        const Mask after = step(i);
        anywhere |= before_[i];
        const auto& instruction = code_[i];
        if (instruction.target != 0 && instruction.flow != Flow::call)
          grows |= add(index_of(instruction.target), after);
        if (instruction.flow != Flow::jump && instruction.flow != Flow::indirect_jump &&
            instruction.flow != Flow::end)
          grows |= add(i + 1, after);
      }
      // Landing pads and tables of jumps: from anywhere.
      for (const auto address : entries.other)
        grows |= add(index_of(address), anywhere);
    }
    std::vector<std::size_t> calls;
    for (std::size_t i = 0; i < code_.size(); ++i) {
      if (escapes(i))
        return std::nullopt;
      if (target_of(code_[i]) & before_[i])
        calls.push_back(i);
    }
    return calls;
  }

private:
  // The register that a call or jump goes to.
  static Mask target_of(const Instruction& instruction) {
    const bool indirect = (instruction.flow == Flow::call && instruction.target == 0) ||
                          instruction.flow == Flow::indirect_jump;
    return indirect ? bit(instruction.from) : Mask{0};
  }

  bool loads(const Instruction& instruction) const {
    return instruction.effect == Effect::load && instruction.reference == slot_ &&
           instruction.value == ~std::uint64_t{0};
  }

  Mask step(std::size_t i) const {
    const auto& instruction = code_[i];
    Mask after = before_[i];
    const bool copies =
        instruction.effect == Effect::copy && instruction.value == 0 && (before_[i] & bit(instruction.from));
    after &= static_cast<Mask>(~instruction.written);
    if (instruction.flow == Flow::call)
      after &= kept_;
    if (copies || loads(instruction))
      after |= bit(instruction.to);
    return after;
  }

  bool escapes(std::size_t i) const {
    const auto& instruction = code_[i];
    const Mask held = before_[i];
    if (instruction.reference == slot_ && !loads(instruction) && !leaves(instruction))
      return true;
    const Mask target = target_of(instruction);
    // A register that its callee may look at.
    if (leaves(instruction) && (held & ~target & ~kKeptByCalls))
      return true;
    const bool copies = instruction.effect == Effect::copy && instruction.value == 0;
    const auto harmless = static_cast<Mask>(target | (copies ? bit(instruction.from) : Mask{0}));
    return held & instruction.read & ~harmless;
  }

  std::size_t index_of(std::uint64_t address) const {
    const auto at = std::lower_bound(
        code_.begin(), code_.end(), address,
        [](const Instruction& instruction, std::uint64_t value) { return instruction.address < value; });
    return at != code_.end() && at->address == address ? static_cast<std::size_t>(at - code_.begin())
                                                       : code_.size();
  }

  bool add(std::size_t index, Mask mask) {
    const auto with = static_cast<Mask>(before_[index] | mask);
    const bool grown = index < code_.size() && with != before_[index];
    before_[index] = with;
    return grown;
  }

  const std::vector<Instruction>& code_;
  std::uint64_t slot_;
  Mask kept_;
  std::vector<Mask> before_; // each instruction; the last for what is none of this function's
};

} // namespace

std::optional<std::vector<std::size_t>> calls_through(const std::vector<Instruction>& code,
                                                      const Entries& entries, std::uint64_t slot,
                                                      bool calls_keep_registers) {
  return Follower(code, slot, calls_keep_registers).follow(entries);
}

} // namespace ukl::rewrite
