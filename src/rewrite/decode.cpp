// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/decode.hpp"

#include <Zydis/Decoder.h>
#include <Zydis/Register.h>

namespace ukl::rewrite {
namespace {

constexpr std::uint8_t kNoRegister = 0xff;
constexpr std::uint8_t kRsp = 4;

const ZydisDecoder& decoder() {
  static const ZydisDecoder instance = [] {
    ZydisDecoder made;
    ZydisDecoderInit(&made, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    return made;
  }();
  return instance;
}

// 0 to 15 for a general register or a part of one.
std::uint8_t register_number(ZydisRegister name) {
  const auto whole = ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, name);
  if (ZydisRegisterGetClass(whole) != ZYDIS_REGCLASS_GPR64)
    return kNoRegister;
  return static_cast<std::uint8_t>(ZydisRegisterGetId(whole));
}

Flow flow_of(const ZydisDecodedInstruction& raw, const ZydisDecodedOperand* operands) {
  const bool direct = raw.operand_count > 0 && operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
  switch (raw.mnemonic) {
  case ZYDIS_MNEMONIC_SYSCALL:
    return Flow::syscall;
  case ZYDIS_MNEMONIC_UD0:
  case ZYDIS_MNEMONIC_UD1:
  case ZYDIS_MNEMONIC_UD2:
  case ZYDIS_MNEMONIC_HLT:
    return Flow::end;
  case ZYDIS_MNEMONIC_XBEGIN:
    return Flow::branch;
  default:
    break;
  }
  switch (raw.meta.category) {
  case ZYDIS_CATEGORY_CALL:
    return Flow::call;
  case ZYDIS_CATEGORY_COND_BR:
    return Flow::branch;
  case ZYDIS_CATEGORY_UNCOND_BR:
    return direct ? Flow::jump : Flow::indirect_jump;
  case ZYDIS_CATEGORY_RET:
    return Flow::end;
  default:
    return Flow::next;
  }
}

void find_effect(const ZydisDecodedInstruction& raw, const ZydisDecodedOperand* operands,
                 Instruction& result) {
  const auto& first = operands[0];
  const auto& second = operands[1];
  if (raw.operand_count_visible == 1 && raw.mnemonic == ZYDIS_MNEMONIC_PUSH &&
      first.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
    result.effect = Effect::push;
    result.value = first.imm.value.u;
    return;
  }
  if (raw.operand_count_visible == 0 || first.type != ZYDIS_OPERAND_TYPE_REGISTER)
    return;
  const auto to = register_number(first.reg.value);
  if (to == kNoRegister || to == kRsp)
    return;
  if (raw.mnemonic == ZYDIS_MNEMONIC_POP && first.size == 64) {
    result.effect = Effect::pop;
    result.to = to;
    return;
  }
  if (raw.mnemonic == ZYDIS_MNEMONIC_MOV && first.size == 8 && second.type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
      (first.reg.value < ZYDIS_REGISTER_AH || first.reg.value > ZYDIS_REGISTER_BH)) {
    result.effect = Effect::set_low;
    result.to = to;
    result.value = second.imm.value.u & 0xff;
    return;
  }
  // Only writes of a whole register: 64 bits, or 32 bits, which clear the upper half.
  if (raw.operand_count_visible != 2 || (first.size != 64 && first.size != 32))
    return;
  const std::uint64_t mask = first.size == 64 ? ~std::uint64_t{0} : 0xffffffff;
  const bool same = second.type == ZYDIS_OPERAND_TYPE_REGISTER && second.reg.value == first.reg.value;
  if (raw.mnemonic == ZYDIS_MNEMONIC_MOV && second.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
    result.effect = Effect::set;
    result.value = second.imm.value.u & mask;
  } else if ((raw.mnemonic == ZYDIS_MNEMONIC_XOR || raw.mnemonic == ZYDIS_MNEMONIC_SUB) && same) {
    result.effect = Effect::set;
    result.value = 0;
  } else if (raw.mnemonic == ZYDIS_MNEMONIC_MOV && second.type == ZYDIS_OPERAND_TYPE_REGISTER) {
    const auto from = register_number(second.reg.value);
    if (from == kNoRegister)
      return;
    result.effect = first.size == 64 ? Effect::copy : Effect::copy_32;
    result.from = from;
    result.value = 0;
  } else if (raw.mnemonic == ZYDIS_MNEMONIC_LEA && second.mem.index == ZYDIS_REGISTER_NONE &&
             raw.address_width == 64) {
    const auto from = register_number(second.mem.base);
    if (from == kNoRegister)
      return;
    result.effect = first.size == 64 ? Effect::copy : Effect::copy_32;
    result.from = from;
    result.value = static_cast<std::uint64_t>(second.mem.disp.value);
  } else {
    return;
  }
  result.to = to;
}

} // namespace

std::optional<std::vector<Instruction>> decode(ByteView code, std::uint64_t address) {
  std::vector<Instruction> list;
  list.reserve(code.size() / 4);
  ZydisDecodedInstruction raw;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  for (std::size_t at = 0; at < code.size();) {
    if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder(), code.data() + at, code.size() - at, &raw, operands)))
      return std::nullopt;
    Instruction result;
    result.address = address + at;
    result.length = raw.length;
    result.flow = flow_of(raw, operands);
    result.movable = result.flow == Flow::next && raw.meta.category != ZYDIS_CATEGORY_INTERRUPT &&
                     raw.meta.category != ZYDIS_CATEGORY_SYSRET &&
                     raw.meta.category != ZYDIS_CATEGORY_SYSCALL && raw.mnemonic != ZYDIS_MNEMONIC_ENDBR64 &&
                     raw.mnemonic != ZYDIS_MNEMONIC_ENDBR32;
    for (unsigned i = 0; i < raw.operand_count; ++i) {
      const auto& operand = operands[i];
      if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER &&
          (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)) {
        const auto number = register_number(operand.reg.value);
        if (number != kNoRegister)
          result.written |= static_cast<std::uint16_t>(1u << number);
      } else if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.mem.base == ZYDIS_REGISTER_RIP) {
        result.reference = result.end() + static_cast<std::uint64_t>(operand.mem.disp.value);
        if (raw.raw.disp.size == 32)
          result.rip_displacement = raw.raw.disp.offset;
        else
          result.movable = false;
      } else if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.mem.base == ZYDIS_REGISTER_EIP) {
        result.movable = false;
      } else if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.mem.base == ZYDIS_REGISTER_NONE &&
                 operand.mem.disp.has_displacement) {
        result.reference = static_cast<std::uint64_t>(operand.mem.disp.value);
      } else if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && operand.imm.is_relative) {
        result.target = result.end() + operand.imm.value.u;
        result.movable = false;
      } else if (operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && result.reference == 0) {
        result.reference = operand.imm.value.u;
      }
    }
    result.returns = raw.meta.category == ZYDIS_CATEGORY_RET;
    result.idle = raw.mnemonic == ZYDIS_MNEMONIC_NOP || raw.mnemonic == ZYDIS_MNEMONIC_INT3;
    // The stack pointer must not move inside a stub: the unwind information of the stubs says that it does
    // not.
    if (result.written & (1u << kRsp))
      result.movable = false;
    if (result.flow == Flow::syscall)
      result.written = 1u << 0 | 1u << 1 | 1u << 11;
    find_effect(raw, operands, result);
    at += raw.length;
    list.push_back(result);
  }
  return list;
}

namespace {

std::uint64_t signed_32(const std::uint8_t* at) {
  std::int32_t value;
  std::memcpy(&value, at, sizeof value);
  return static_cast<std::uint64_t>(std::int64_t{value});
}

void add_possible_references(ByteView code, std::uint64_t address, CodeReferences& result) {
  for (std::size_t at = 0; at + 6 <= code.size(); ++at) {
    const auto first = code[at], second = code[at + 1];
    std::size_t length = 0;
    if (first == 0xe8 || first == 0xe9) // call, jmp
      length = 1;
    else if ((first == 0x0f && (second & 0xf0) == 0x80) || // jcc
             (second & 0xc7) == 0x05)                      // any operand relative to RIP
      length = 2;
    if (length != 0)
      result.list.push_back({address + at, address + at + length + 4 + signed_32(&code[at + length]), false});
  }
  result.falls_out = true;
}

} // namespace

CodeReferences code_references(ByteView code, std::uint64_t address) {
  CodeReferences result;
  ZydisDecodedInstruction raw;
  for (std::size_t at = 0; at < code.size(); at += raw.length) {
    if (!ZYAN_SUCCESS(
            ZydisDecoderDecodeInstruction(&decoder(), nullptr, code.data() + at, code.size() - at, &raw))) {
      result.list.clear();
      add_possible_references(code, address, result);
      return result;
    }
    const auto here = address + at, end = here + raw.length;
    const auto category = raw.meta.category;
    const bool enters = category == ZYDIS_CATEGORY_CALL || category == ZYDIS_CATEGORY_COND_BR ||
                        category == ZYDIS_CATEGORY_UNCOND_BR || raw.mnemonic == ZYDIS_MNEMONIC_XBEGIN;
    if ((raw.attributes & ZYDIS_ATTRIB_HAS_MODRM) && raw.raw.modrm.mod == 0 && raw.raw.modrm.rm == 5)
      result.list.push_back({here, end + static_cast<std::uint64_t>(raw.raw.disp.value), enters});
    for (const auto& immediate : raw.raw.imm) {
      if (immediate.size == 0)
        continue;
      const auto base = immediate.is_relative ? end : 0;
      if (immediate.is_relative || immediate.size >= 32)
        result.list.push_back({here, base + immediate.value.u, enters && immediate.is_relative});
    }
    const bool stops = category == ZYDIS_CATEGORY_UNCOND_BR || category == ZYDIS_CATEGORY_RET ||
                       raw.mnemonic == ZYDIS_MNEMONIC_UD2 || raw.mnemonic == ZYDIS_MNEMONIC_HLT;
    // Behind a call that is a function's last instruction it never returns; behind padding nothing was there.
    if (at + raw.length == code.size())
      result.falls_out = !stops && category != ZYDIS_CATEGORY_CALL && raw.mnemonic != ZYDIS_MNEMONIC_NOP &&
                         raw.mnemonic != ZYDIS_MNEMONIC_INT3;
  }
  return result;
}

} // namespace ukl::rewrite
