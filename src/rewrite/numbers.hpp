// SPDX-License-Identifier: GPL-2.0-only
// Which numbers a `syscall` can be reached with: constants followed forward through one function, over all
// its paths.
#pragma once

#include "rewrite/jump_targets.hpp"

#include <array>

namespace ukl::rewrite {

/// What a register may hold: nothing yet seen, one of a few constants, what another register (plus a number)
/// held when the function was entered, or anything.
class Value {
public:
  static constexpr unsigned kMost = 8;
  static Value anything() {
    Value value;
    value.count_ = kAnything;
    return value;
  }
  static Value constant(std::uint64_t number) {
    Value value;
    value.count_ = 1;
    value.numbers_[0] = number;
    return value;
  }
  static Value argument(std::uint8_t register_number) {
    Value value;
    value.count_ = kArgument;
    value.numbers_[0] = register_number;
    value.numbers_[1] = 0;
    return value;
  }
  bool is_known() const { return count_ != 0 && count_ <= kMost; }
  /// The register that held it when the function was entered.
  std::optional<std::uint8_t> argument_register() const {
    return count_ == kArgument && numbers_[1] == 0 ? std::optional(static_cast<std::uint8_t>(numbers_[0]))
                                                   : std::nullopt;
  }
  /// How far it is from what that register held then.
  std::optional<std::int64_t> distance_from(std::uint8_t register_number) const {
    return count_ == kArgument && numbers_[0] == register_number
               ? std::optional(static_cast<std::int64_t>(numbers_[1]))
               : std::nullopt;
  }
  std::span<const std::uint64_t> numbers() const { return {numbers_.data(), is_known() ? count_ : 0u}; }
  /// Each constant plus `addend`, cut by `mask`.
  Value moved(std::uint64_t addend, std::uint64_t mask) const;
  /// Each constant with other lowest 8 bits.
  Value with_low(std::uint64_t low) const;
  /// Widens to what both may hold. True if this changed.
  bool merge(const Value& other);

private:
  static constexpr std::uint8_t kAnything = 255, kArgument = 254;
  void add(std::uint64_t number);
  std::array<std::uint64_t, kMost> numbers_{};
  std::uint8_t count_ = 0;
};

/// Three places on the stack count as registers where calls keep none, which is how Go passes numbers on: the
/// word above the return address, where a function gets its first argument from the stack or keeps what it
/// got in RAX; the word at the stack pointer, where it puts the first argument of one that it calls; and the
/// word where it first saves RAX, if it does so before it calls another.
constexpr std::uint8_t kStackArgument = 16, kStackTop = 17, kSavedArgument = 18;

using Registers = std::array<Value, 19>;

/// What is known at one site.
struct SiteValues {
  Value number;          ///< the register asked for at the site, over all ways to it
  std::size_t block = 0; ///< first instruction of the basic block from which control falls into the site
  Registers at_block;    ///< registers there; see number_after
  bool reached = false;  ///< false: control never falls into the site, it is only jumped to
};

/// What a function gives back as it found it (System V ABI): rbx, rbp, r12 to r15.
constexpr std::uint16_t kKeptByCalls = 1u << 3 | 1u << 5 | 0xfu << 12;

/// An instruction and a register whose value before it is asked for.
struct Question {
  std::size_t instruction = 0; ///< index
  std::uint8_t register_number = 0;
};

/// The answers, in order. `calls_keep_registers`: calls keep what the System V ABI says.
std::vector<SiteValues> follow_numbers(const std::vector<Instruction>& code, const Entries& entries,
                                       const std::vector<Question>& questions, bool calls_keep_registers);

/// A register just before instruction `to`, if control went straight from instruction `from`, at which all
/// held `registers`.
Value number_after(const std::vector<Instruction>& code, std::size_t from, Question to, Registers registers,
                   bool calls_keep_registers);

} // namespace ukl::rewrite
