// SPDX-License-Identifier: GPL-2.0-only
// One function as a list of instructions, with of each what the rewriter must know. The only file that sees
// Zydis.
#pragma once

#include "elf/view.hpp"

namespace ukl::rewrite {

enum class Flow : std::uint8_t {
  next,          ///< goes on behind itself
  call,          ///< calls, then goes on behind itself
  branch,        ///< goes to `target` or on
  jump,          ///< goes to `target`
  indirect_jump, ///< goes to an address out of a register or memory
  end,           ///< never goes on: ret, ud2, hlt
  syscall,       ///< a SYSCALL instruction
};

/// What an instruction does to the registers, as far as constants can be followed through it.
enum class Effect : std::uint8_t {
  other,        ///< every register of `written` becomes unknown
  set,          ///< `to` becomes `value`
  set_low,      ///< the lowest 8 bits of `to` become `value`
  copy,         ///< `to` becomes `from` plus `value`
  copy_32,      ///< the same, cut to 32 bits
  push,         ///< `value` is pushed
  pop,          ///< `to` is popped
  load,         ///< `to` becomes the word at `from` plus `displacement`, cut by the mask `value`; `from` is
                ///< kNoRegister for other addresses
  store,        ///< the word at `to` plus `displacement` becomes `from`
  store_number, ///< the word at `to` plus `displacement` becomes `value`
};

constexpr std::uint8_t kNoRegister = 0xff;

struct Instruction {
  std::uint64_t address = 0;
  std::uint64_t target = 0; ///< of a direct jump, branch or call; else 0
  std::uint64_t reference =
      0; ///< address in a RIP-relative or absolute operand, or an immediate like one; else 0
  std::uint64_t value = 0;   ///< see Effect
  std::uint16_t written = 0; ///< general registers it changes: bit n for number n (RAX 0, RCX 1, … R15 15)
  std::uint16_t read = 0;    ///< general registers it looks at, addresses in memory included
  std::uint8_t length = 0;   ///< bytes
  std::uint8_t rip_displacement =
      0;                         ///< where in its bytes its 32-bit RIP-relative displacement lies; 0: none
  std::uint8_t to = 0, from = 0; ///< register numbers, see Effect; an indirect jump or call goes to `from`,
                                 ///< if it is not kNoRegister
  std::uint8_t stack_bytes = 0;  ///< that it writes at the stack pointer plus `displacement`
  std::int32_t displacement = 0; ///< see Effect and stack_bytes
  std::int32_t stack_change = 0; ///< what it adds to the stack pointer, if that is known; else 0
  Flow flow = Flow::next;
  Effect effect = Effect::other;
  bool returns = false; ///< ret
  bool idle = false;    ///< does nothing where nobody comes: nop, int3
  bool indexed = false; ///< its address in memory has an index register
  bool movable = false; ///< works the same at another address once its displacement is adjusted
  bool trapped = false; ///< means something else in ring 0, see find_trap
  std::uint64_t end() const { return address + length; }
};

/// Decodes all of `code`, which lies at `address`. Nothing if an instruction is not valid or crosses the end.
std::optional<std::vector<Instruction>> decode(ByteView code, std::uint64_t address);

/// The first instruction of `code`, which lies at `address`. Nothing if it is not valid.
std::optional<Instruction> decode_first(ByteView code, std::uint64_t address);

/// An instruction that ring 3 refuses or does otherwise than ring 0 (ukl/gate.h, UKL_TRAP_BYTE).
struct Trap {
  std::uint8_t kind = 0;     ///< UKL_TRAP_…; 0: it uses memory relative to GS
  std::uint8_t size = 0;     ///< bytes of its operand; of GS's users, how many prefixes it has
  std::uint16_t operand = 0; ///< as in ukl_trap
  bool needs_copy = false;   ///< the kernel runs or reads the instruction itself
};

/// What kind of trap the first instruction of `code` is, if it is one.
std::optional<Trap> find_trap(ByteView code);

/// A quick look at all of `code`, without operands.
struct CodeScan {
  bool decodes = false;                ///< every byte of it, from one end to the other
  bool trapped = false;                ///< an instruction that find_trap would find
  std::vector<std::uint64_t> leads_to; ///< where direct calls, jumps and branches out of it go
};
CodeScan scan_code(ByteView code, std::uint64_t address);

/// A place that code refers to.
struct CodeReference {
  std::uint64_t source; ///< address of the instruction
  std::uint64_t target; ///< where it goes, or the pointer through which it goes, or the address that it takes
  bool enters;          ///< a call or jump; false: an address that is taken, or memory that is used
};

struct CodeReferences {
  std::vector<CodeReference> list;
  bool falls_out = false; ///< control goes on behind the code's end
};

/// Direct and RIP-relative references, and immediates that could be addresses, of all of `code`; quicker than
/// decode. Where the code does not decode, every byte that may begin a reference counts as one that takes an
/// address.
CodeReferences code_references(ByteView code, std::uint64_t address);

} // namespace ukl::rewrite
