// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/kernel_stack.hpp"
#include "elf/view.hpp"

#include <algorithm>

namespace ukl {
namespace {

// Linux: arch/x86/include/asm/orc_types.h.
enum OrcRegister : unsigned { kUndefined, kPrevSp, kDx, kDi, kBp, kSp, kR10, kR13, kBpIndirect, kSpIndirect };

constexpr std::size_t kEntrySize = 6;

// struct pt_regs, in words.
constexpr std::uint64_t kRegsSize = 21UL * 8;
constexpr std::size_t kRegsIp = 16, kRegsSp = 19;
// Its general registers are r15 r14 r13 r12 rbp rbx r11 r10 r9 r8 rax rcx rdx rsi rdi; by the stub's numbers.
constexpr std::size_t kRegsOrder[] = {15, 14, 13, 12, 6, 1, 11, 10, 9, 8, 0, 2, 3, 4, 5};

constexpr std::uint64_t kStackSize = 16384; // THREAD_SIZE
constexpr std::size_t kMostCalls = 128;

// How registers lie in memory behind an entry to the kernel.
bool read_regs(std::uint64_t at, const ReadWord& read_word, Registers& registers) {
  for (std::size_t word = 0; word < std::size(kRegsOrder); ++word) {
    const auto value = read_word(at + 8 * word);
    if (!value)
      return false;
    registers.general[kRegsOrder[word]] = *value;
  }
  const auto ip = read_word(at + 8 * kRegsIp), sp = read_word(at + 8 * kRegsSp);
  if (!ip || !sp)
    return false;
  registers.ip = *ip;
  registers.general[Registers::kSp] = *sp;
  return true;
}

// A direct entry (gate.S) has put the program's RIP and RSP where pt_regs has them, at the end of the task's
// stack.
std::optional<Registers> caller_at_end(const Registers& now, const ReadWord& read_word) {
  const auto regs = (now.sp() & ~(kStackSize - 1)) + kStackSize - kRegsSize;
  const auto ip = read_word(regs + 8 * kRegsIp), sp = read_word(regs + 8 * kRegsSp);
  if (!ip || !sp || *ip == 0 || *sp == 0 || is_kernel(*ip) || is_kernel(*sp))
    return std::nullopt;
  auto program = now; // what functions keep is as it was, as far as the tables followed it: RBP
  program.ip = *ip;
  program.general[Registers::kSp] = *sp;
  return program;
}

} // namespace

KernelStack innermost_call(const Registers& at, const ReadWord& read_word) {
  return {{at.ip}, caller_at_end(at, read_word)};
}

std::optional<OrcTables> OrcTables::read(const Bytes& vmlinux, const std::string& name) {
  const auto elf = rewrite::ElfView::parse(vmlinux, name, rewrite::kAllAddresses);
  if (!elf)
    return std::nullopt;
  const auto* places = elf->section(".orc_unwind_ip");
  const auto* rules = elf->section(".orc_unwind");
  if (!places || !rules)
    return std::nullopt;
  // Linux 6.4 has put the end of a stack among the types, and marked the file with that section.
  const bool newer = elf->section(".orc_header") != nullptr;
  OrcTables tables;
  for (std::size_t number = 0;; ++number) {
    const auto place = rewrite::load<std::int32_t>(places->bytes, 4 * number);
    const auto sp_offset = rewrite::load<std::int16_t>(rules->bytes, kEntrySize * number);
    const auto bp_offset = rewrite::load<std::int16_t>(rules->bytes, kEntrySize * number + 2);
    const auto bits = rewrite::load<std::uint16_t>(rules->bytes, kEntrySize * number + 4);
    if (!place || !sp_offset || !bp_offset || !bits)
      break;
    Entry entry{places->header.sh_addr + 4 * number + static_cast<std::uint64_t>(std::int64_t{*place}),
                *sp_offset,
                *bp_offset,
                *bits & 15U,
                *bits >> 4 & 15U,
                Entry::Type::end};
    const unsigned type = newer ? *bits >> 8 & 7U : *bits >> 8 & 3U;
    const bool ends = newer ? type < 2 : (*bits >> 10 & 1U) != 0;
    const unsigned kind = newer ? type - 2 : type;
    if (!ends && kind < 3)
      entry.type = kind == 0 ? Entry::Type::call : kind == 1 ? Entry::Type::regs : Entry::Type::partial;
    tables.entries_.push_back(entry);
  }
  if (tables.entries_.empty())
    return std::nullopt;
  std::ranges::stable_sort(tables.entries_, {}, &Entry::ip);
  return tables;
}

const OrcTables::Entry* OrcTables::find(std::uint64_t ip) const {
  const auto after = std::ranges::upper_bound(entries_, ip, {}, &Entry::ip);
  return after == entries_.begin() ? nullptr : &*std::prev(after);
}

KernelStack OrcTables::unwind(Registers at, std::uint64_t slide, const ReadWord& read_word) const {
  KernelStack stack;
  bool interrupted = true; // it stands at ip, and has not called from before it
  while (is_kernel(at.ip) && stack.calls.size() < kMostCalls) {
    const auto ip = interrupted ? at.ip : at.ip - 1;
    stack.calls.push_back(ip);
    const auto* entry = find(ip - slide);
    if (!entry)
      return stack;
    if (entry->type == Entry::Type::end) {
      stack.program = caller_at_end(at, read_word);
      return stack;
    }
    const auto offset = static_cast<std::uint64_t>(std::int64_t{entry->sp_offset});
    std::optional<std::uint64_t> sp;
    switch (entry->sp_reg) {
    case kSp:
      sp = at.sp() + offset;
      break;
    case kBp:
      sp = at.bp() + offset;
      break;
    case kSpIndirect:
      if ((sp = read_word(at.sp())))
        *sp += offset;
      break;
    case kBpIndirect:
      sp = read_word(at.bp() + offset);
      break;
    // These are as they are only where the machine stands, or behind an interrupt.
    case kR10:
      sp = at.general[10];
      break;
    case kR13:
      sp = at.general[13];
      break;
    case kDi:
      sp = at.general[5];
      break;
    case kDx:
      sp = at.general[3];
      break;
    default:
      break;
    }
    if (!sp)
      return stack;
    const auto base = *sp;
    const auto bp_offset = static_cast<std::uint64_t>(std::int64_t{entry->bp_offset});
    std::optional<std::uint64_t> bp = at.bp();
    if (entry->bp_reg == kPrevSp)
      bp = read_word(base + bp_offset);
    else if (entry->bp_reg == kBp)
      bp = read_word(at.bp() + bp_offset);
    if (entry->type == Entry::Type::call) {
      const auto back = read_word(base - 8);
      if (!back || !bp)
        return stack;
      at.ip = *back;
      at.general[Registers::kSp] = base;
      at.general[Registers::kBp] = *bp;
      interrupted = false;
    } else if (entry->type == Entry::Type::regs) {
      if (!read_regs(base, read_word, at))
        return stack;
      interrupted = true;
    } else {
      // What the processor itself has put there: RIP CS RFLAGS RSP SS.
      const auto ip_there = read_word(base), sp_there = read_word(base + 24);
      if (!ip_there || !sp_there)
        return stack;
      at.ip = *ip_there;
      at.general[Registers::kSp] = *sp_there;
      interrupted = true;
    }
  }
  if (!is_kernel(at.ip) && at.ip != 0)
    stack.program = at;
  return stack;
}

} // namespace ukl
