// SPDX-License-Identifier: GPL-2.0-only
#include "rewrite/decode.hpp"

#include "ukl/gate.h"

#include <Zydis/Decoder.h>
#include <Zydis/Register.h>
#include <algorithm>

namespace ukl::rewrite {
namespace {

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

// Words on the stack, addressed by the stack pointer alone, and how that moves.
void find_stack_use(const ZydisDecodedInstruction& raw, const ZydisDecodedOperand* operands,
                    Instruction& result) {
  const auto is_stack = [](const ZydisDecodedOperand& operand) {
    return operand.type == ZYDIS_OPERAND_TYPE_MEMORY && operand.mem.type == ZYDIS_MEMOP_TYPE_MEM &&
           operand.mem.base == ZYDIS_REGISTER_RSP && operand.mem.index == ZYDIS_REGISTER_NONE;
  };
  for (unsigned i = 0; i < raw.operand_count_visible; ++i)
    if (is_stack(operands[i]) && (operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)) {
      result.stack_bytes = static_cast<std::uint8_t>(std::min(operands[i].size / 8, 255));
      result.displacement = static_cast<std::int32_t>(operands[i].mem.disp.value);
    }
  const auto& first = operands[0];
  const auto& second = operands[1];
  const bool moves_stack = raw.operand_count_visible > 0 && first.type == ZYDIS_OPERAND_TYPE_REGISTER &&
                           first.reg.value == ZYDIS_REGISTER_RSP;
  if (raw.mnemonic == ZYDIS_MNEMONIC_PUSH && first.size == 64)
    result.stack_change = -8;
  else if (raw.mnemonic == ZYDIS_MNEMONIC_POP && first.size == 64 && !moves_stack)
    result.stack_change = 8;
  else if (moves_stack && second.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && raw.mnemonic == ZYDIS_MNEMONIC_SUB)
    result.stack_change = static_cast<std::int32_t>(-second.imm.value.s);
  else if (moves_stack && second.type == ZYDIS_OPERAND_TYPE_IMMEDIATE && raw.mnemonic == ZYDIS_MNEMONIC_ADD)
    result.stack_change = static_cast<std::int32_t>(second.imm.value.s);
  for (unsigned i = 0; i < raw.operand_count_visible; ++i)
    result.indexed |=
        operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY && operands[i].mem.index != ZYDIS_REGISTER_NONE;
  if (result.flow == Flow::indirect_jump || (result.flow == Flow::call && result.target == 0))
    result.from = first.type == ZYDIS_OPERAND_TYPE_REGISTER ? register_number(first.reg.value) : kNoRegister;
  if (raw.mnemonic != ZYDIS_MNEMONIC_MOV)
    return;
  if (second.type == ZYDIS_OPERAND_TYPE_MEMORY && first.type == ZYDIS_OPERAND_TYPE_REGISTER &&
      (first.size == 64 || first.size == 32)) {
    const auto to = register_number(first.reg.value);
    if (to == kNoRegister || to == kRsp)
      return;
    result.effect = Effect::load;
    result.to = to;
    result.from = is_stack(second) ? kRsp : kNoRegister;
    result.displacement = static_cast<std::int32_t>(second.mem.disp.value);
    result.value = first.size == 64 ? ~std::uint64_t{0} : 0xffffffff;
  } else if (is_stack(first) && first.size == 64 && second.type == ZYDIS_OPERAND_TYPE_REGISTER) {
    const auto from = register_number(second.reg.value);
    if (from == kNoRegister)
      return;
    result.effect = Effect::store;
    result.to = kRsp;
    result.from = from;
  } else if (is_stack(first) && first.size == 64 && second.type == ZYDIS_OPERAND_TYPE_IMMEDIATE) {
    result.effect = Effect::store_number;
    result.to = kRsp;
    result.value = second.imm.value.u;
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

// Of instructions whose operand is 8 bits with an even opcode, else 16 or 32: in, out, ins, outs.
std::uint8_t port_size(const ZydisDecodedInstruction& raw) {
  if (!(raw.opcode & 1))
    return 1;
  return raw.operand_width == 16 ? 2 : 4;
}

std::optional<Trap> trap_of(const ZydisDecodedInstruction& raw) {
  const auto operand_size = static_cast<std::uint8_t>(raw.operand_width / 8);
  const auto immediate = static_cast<std::uint16_t>(raw.raw.imm[0].value.u);
  switch (raw.mnemonic) {
  case ZYDIS_MNEMONIC_CLI:
  case ZYDIS_MNEMONIC_STI:
    return Trap{UKL_TRAP_INTERRUPTS, 0, 0, false};
  case ZYDIS_MNEMONIC_IN:
  case ZYDIS_MNEMONIC_OUT:
    if ((raw.opcode & 0xfc) == 0xe4)
      return Trap{UKL_TRAP_PORT, port_size(raw), static_cast<std::uint16_t>(immediate & 0xff), true};
    return Trap{UKL_TRAP_PORT_DX, port_size(raw), 0, true};
  case ZYDIS_MNEMONIC_INSB:
  case ZYDIS_MNEMONIC_INSW:
  case ZYDIS_MNEMONIC_INSD:
  case ZYDIS_MNEMONIC_OUTSB:
  case ZYDIS_MNEMONIC_OUTSW:
  case ZYDIS_MNEMONIC_OUTSD:
    return Trap{UKL_TRAP_PORT_DX, port_size(raw), 0, true};
  case ZYDIS_MNEMONIC_RDPMC:
    return Trap{UKL_TRAP_COUNTER, 0, 0, true};
  case ZYDIS_MNEMONIC_SGDT:
  case ZYDIS_MNEMONIC_SIDT:
  case ZYDIS_MNEMONIC_SLDT:
  case ZYDIS_MNEMONIC_SMSW:
  case ZYDIS_MNEMONIC_STR:
    return Trap{UKL_TRAP_TABLES, 0, 0, true};
  case ZYDIS_MNEMONIC_POPF:
    return Trap{UKL_TRAP_POP_FLAGS, 2, 0, false};
  case ZYDIS_MNEMONIC_POPFQ:
    return Trap{UKL_TRAP_POP_FLAGS, 8, 0, false};
  case ZYDIS_MNEMONIC_IRET:
  case ZYDIS_MNEMONIC_IRETD:
  case ZYDIS_MNEMONIC_IRETQ:
    return Trap{UKL_TRAP_IRET, operand_size, 0, false};
  case ZYDIS_MNEMONIC_RET:
    if (raw.opcode == 0xca || raw.opcode == 0xcb)
      return Trap{UKL_TRAP_FAR_RETURN, operand_size, raw.opcode == 0xca ? immediate : std::uint16_t{0},
                  false};
    return std::nullopt;
  case ZYDIS_MNEMONIC_INT:
    // Vectors 3 and 4 are open to programs.
    if (immediate == 3 || immediate == 4)
      return std::nullopt;
    return Trap{UKL_TRAP_PROTECTED, 0, static_cast<std::uint16_t>((immediate & 0xff) << 3 | 2), false};
  case ZYDIS_MNEMONIC_MOV: {
    if (raw.opcode_map == ZYDIS_OPCODE_MAP_0F && raw.opcode >= 0x20 && raw.opcode <= 0x23)
      return Trap{UKL_TRAP_PROTECTED, 0, 0, false};
    constexpr unsigned kSs = 2, kGs = 5;
    if (raw.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT && raw.opcode == 0x8e &&
        (raw.raw.modrm.reg == kSs || raw.raw.modrm.reg == kGs))
      return Trap{UKL_TRAP_LOAD_SEGMENT, 2, 0, true};
    break;
  }
  case ZYDIS_MNEMONIC_POP:
    if (raw.opcode_map == ZYDIS_OPCODE_MAP_0F && raw.opcode == 0xa9)
      return Trap{UKL_TRAP_POP_GS, static_cast<std::uint8_t>(raw.operand_width == 16 ? 2 : 8), 0, false};
    break;
  // Not all of these are privileged in Zydis's eyes.
  case ZYDIS_MNEMONIC_HLT:
  case ZYDIS_MNEMONIC_CLTS:
  case ZYDIS_MNEMONIC_INVD:
  case ZYDIS_MNEMONIC_WBINVD:
  case ZYDIS_MNEMONIC_INVLPG:
  case ZYDIS_MNEMONIC_INVPCID:
  case ZYDIS_MNEMONIC_LGDT:
  case ZYDIS_MNEMONIC_LIDT:
  case ZYDIS_MNEMONIC_LLDT:
  case ZYDIS_MNEMONIC_LTR:
  case ZYDIS_MNEMONIC_LMSW:
  case ZYDIS_MNEMONIC_RDMSR:
  case ZYDIS_MNEMONIC_WRMSR:
  case ZYDIS_MNEMONIC_XSAVES:
  case ZYDIS_MNEMONIC_XSAVES64:
  case ZYDIS_MNEMONIC_XRSTORS:
  case ZYDIS_MNEMONIC_XRSTORS64:
  case ZYDIS_MNEMONIC_LGS:
  case ZYDIS_MNEMONIC_LSS:
  case ZYDIS_MNEMONIC_XSETBV:
  case ZYDIS_MNEMONIC_SWAPGS:
  case ZYDIS_MNEMONIC_SYSRET:
    return Trap{UKL_TRAP_PROTECTED, 0, 0, false};
  // Not for programs, whatever their operands.
  case ZYDIS_MNEMONIC_RDGSBASE:
  case ZYDIS_MNEMONIC_WRGSBASE:
  case ZYDIS_MNEMONIC_MONITOR:
  case ZYDIS_MNEMONIC_MWAIT:
  case ZYDIS_MNEMONIC_CLAC:
  case ZYDIS_MNEMONIC_STAC:
  case ZYDIS_MNEMONIC_VMCALL:
  case ZYDIS_MNEMONIC_VMMCALL:
    return Trap{UKL_TRAP_INVALID, 0, 0, false};
  // These fault in Linux's ring 0 as in its ring 3: what they belong to is off.
  case ZYDIS_MNEMONIC_SYSEXIT:
  case ZYDIS_MNEMONIC_VMXON:
  case ZYDIS_MNEMONIC_VMXOFF:
  case ZYDIS_MNEMONIC_VMLAUNCH:
  case ZYDIS_MNEMONIC_VMRESUME:
  case ZYDIS_MNEMONIC_VMREAD:
  case ZYDIS_MNEMONIC_VMWRITE:
  case ZYDIS_MNEMONIC_VMPTRLD:
  case ZYDIS_MNEMONIC_VMPTRST:
  case ZYDIS_MNEMONIC_VMCLEAR:
  case ZYDIS_MNEMONIC_VMFUNC:
  case ZYDIS_MNEMONIC_INVEPT:
  case ZYDIS_MNEMONIC_INVVPID:
  case ZYDIS_MNEMONIC_VMRUN:
  case ZYDIS_MNEMONIC_VMLOAD:
  case ZYDIS_MNEMONIC_VMSAVE:
  case ZYDIS_MNEMONIC_CLGI:
  case ZYDIS_MNEMONIC_STGI:
  case ZYDIS_MNEMONIC_SKINIT:
  case ZYDIS_MNEMONIC_INVLPGA:
  case ZYDIS_MNEMONIC_RSM:
  case ZYDIS_MNEMONIC_GETSEC:
  case ZYDIS_MNEMONIC_ENCLS:
  case ZYDIS_MNEMONIC_ENCLV:
    return std::nullopt;
  default:
    break;
  }
  if (raw.attributes & ZYDIS_ATTRIB_IS_PRIVILEGED)
    return Trap{UKL_TRAP_PROTECTED, 0, 0, false};
  if (raw.attributes & ZYDIS_ATTRIB_HAS_SEGMENT_GS)
    return Trap{0, raw.raw.prefix_count, 0, false};
  return std::nullopt;
}

// A register that is cleared by itself is not looked at, but nobody needs to know.
std::uint16_t registers_read(const ZydisDecodedOperand& operand) {
  const auto bit = [](ZydisRegister name) {
    const auto number = register_number(name);
    return static_cast<std::uint16_t>(number == kNoRegister ? 0u : 1u << number);
  };
  if (operand.type == ZYDIS_OPERAND_TYPE_MEMORY)
    return bit(operand.mem.base) | bit(operand.mem.index);
  if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER && (operand.actions & ZYDIS_OPERAND_ACTION_MASK_READ))
    return bit(operand.reg.value);
  return 0;
}

bool decode_at(ByteView code, std::uint64_t address, Instruction& result);

} // namespace

std::optional<Instruction> decode_first(ByteView code, std::uint64_t address) {
  Instruction result;
  if (!decode_at(code, address, result))
    return std::nullopt;
  return result;
}

std::optional<Trap> find_trap(ByteView code) {
  ZydisDecodedInstruction raw;
  if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&decoder(), nullptr, code.data(), code.size(), &raw)))
    return std::nullopt;
  return trap_of(raw);
}

CodeScan scan_code(ByteView code, std::uint64_t address) {
  CodeScan result;
  ZydisDecodedInstruction raw;
  for (std::size_t at = 0; at < code.size(); at += raw.length) {
    if (!ZYAN_SUCCESS(
            ZydisDecoderDecodeInstruction(&decoder(), nullptr, code.data() + at, code.size() - at, &raw)))
      return result;
    result.trapped = result.trapped || trap_of(raw);
    if (!raw.raw.imm[0].is_relative)
      continue;
    const auto target = address + at + raw.length + raw.raw.imm[0].value.u;
    if (target - address >= code.size())
      result.leads_to.push_back(target);
  }
  result.decodes = true;
  return result;
}

std::optional<std::vector<Instruction>> decode(ByteView code, std::uint64_t address) {
  std::vector<Instruction> list;
  list.reserve(code.size() / 4);
  for (std::size_t at = 0; at < code.size();) {
    Instruction result;
    if (!decode_at(code.subspan(at), address + at, result))
      return std::nullopt;
    at += result.length;
    list.push_back(result);
  }
  return list;
}

namespace {

bool decode_at(ByteView code, std::uint64_t address, Instruction& result) {
  ZydisDecodedInstruction raw;
  ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
  if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder(), code.data(), code.size(), &raw, operands)))
    return false;
  result.address = address;
  result.length = raw.length;
  result.flow = flow_of(raw, operands);
  result.trapped = trap_of(raw).has_value();
  result.movable =
      result.flow == Flow::next && !result.trapped && raw.meta.category != ZYDIS_CATEGORY_INTERRUPT &&
      raw.meta.category != ZYDIS_CATEGORY_SYSRET && raw.meta.category != ZYDIS_CATEGORY_SYSCALL &&
      raw.mnemonic != ZYDIS_MNEMONIC_ENDBR64 && raw.mnemonic != ZYDIS_MNEMONIC_ENDBR32;
  for (unsigned i = 0; i < raw.operand_count; ++i) {
    const auto& operand = operands[i];
    result.read |= registers_read(operand);
    if (operand.type == ZYDIS_OPERAND_TYPE_REGISTER && (operand.actions & ZYDIS_OPERAND_ACTION_MASK_WRITE)) {
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
  find_stack_use(raw, operands, result);
  return true;
}

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
