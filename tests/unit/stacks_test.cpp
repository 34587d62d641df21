// SPDX-License-Identifier: GPL-2.0-only
// Stacks of a program and of a kernel, as the profiler reads them.
#include "lifecycle/debug_view.hpp"
#include "lifecycle/kernel_stack.hpp"
#include "lifecycle/program_stack.hpp"
#include "support/files.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <elf.h>
#include <gmock/gmock.h>
#include <map>
#include <ucontext.h>

namespace ukl {
namespace {

using testing::ElementsAre;

constexpr std::uint64_t kText = 0xffffffff81000000, kPlaces = 0xffffffff82000000, kSlide = 0x1000000;

struct Rule {
  std::uint64_t ip;
  std::int16_t sp_offset, bp_offset;
  unsigned sp_reg, bp_reg, type;
  bool end;
};

template <typename T> void put(Bytes& bytes, std::size_t at, const T& value) {
  if (bytes.size() < at + sizeof value)
    bytes.resize(at + sizeof value);
  std::memcpy(bytes.data() + at, &value, sizeof value);
}

// An ELF file with the sections that Linux's unwinder reads; `newer`: as since Linux 6.4.
Bytes vmlinux_with(const std::vector<Rule>& rules, bool newer) {
  Bytes places, entries;
  for (std::size_t number = 0; number < rules.size(); ++number) {
    const auto& rule = rules[number];
    put(places, 4 * number, static_cast<std::int32_t>(rule.ip - (kPlaces + 4 * number)));
    put(entries, 6 * number, rule.sp_offset);
    put(entries, 6 * number + 2, rule.bp_offset);
    const unsigned type =
        newer ? (rule.end ? 1 : rule.type + 2) << 8 : rule.type << 8 | (rule.end ? 1U << 10 : 0);
    put(entries, 6 * number + 4, static_cast<std::uint16_t>(rule.sp_reg | rule.bp_reg << 4 | type));
  }
  static constexpr char kNames[] = "\0.text\0.orc_unwind_ip\0.orc_unwind\0.orc_header\0.shstrtab";
  const std::string names(kNames, sizeof kNames);
  const auto name = [&](const char* text) {
    return static_cast<Elf64_Word>(names.find(text + std::string(1, '\0')));
  };
  Bytes file(4096);
  const std::size_t text = file.size();
  file.resize(text + 4096, 0x90);
  const std::size_t at_places = file.size();
  file.insert(file.end(), places.begin(), places.end());
  const std::size_t at_entries = file.size();
  file.insert(file.end(), entries.begin(), entries.end());
  const std::size_t at_names = file.size();
  file.insert(file.end(), names.begin(), names.end());
  file.resize((file.size() + 7) & ~7UL);
  std::vector<Elf64_Shdr> sections(newer ? 6 : 5);
  sections[1] = {name(".text"), SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, kText, text, 4096, 0, 0, 16, 0};
  sections[2] = {
      name(".orc_unwind_ip"), SHT_PROGBITS, SHF_ALLOC, kPlaces, at_places, places.size(), 0, 0, 1, 0};
  sections[3] = {
      name(".orc_unwind"), SHT_PROGBITS, SHF_ALLOC, kPlaces + 4096, at_entries, entries.size(), 0, 0, 1, 0};
  sections[4] = {name(".shstrtab"), SHT_STRTAB, 0, 0, at_names, names.size(), 0, 0, 1, 0};
  if (newer)
    sections[5] = {name(".orc_header"), SHT_PROGBITS, 0, 0, at_names, 1, 0, 0, 1, 0};
  Elf64_Ehdr header = {};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof header;
  header.e_shoff = file.size();
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  header.e_shentsize = sizeof(Elf64_Shdr);
  header.e_shnum = static_cast<Elf64_Half>(sections.size());
  header.e_shstrndx = 4;
  put(file, 0, header);
  put(file, sizeof header, Elf64_Phdr{PT_LOAD, PF_R | PF_X, text, kText, kText, 4096, 4096, 4096});
  for (const auto& section : sections)
    put(file, file.size(), section);
  return file;
}

// Linux's numbers (orc_types.h).
constexpr unsigned kUndefined = 0, kPrevSp = 1, kBp = 4, kSp = 5, kSpIndirect = 9, kCall = 0, kRegs = 1,
                   kPartial = 2;
constexpr std::uint64_t kStack = 0xffffc90000010000; // its end is 16 KiB further

class Orc : public testing::TestWithParam<bool> {
protected:
  KernelStack unwind(const std::vector<Rule>& rules, std::uint64_t ip, std::uint64_t sp,
                     std::uint64_t bp) const {
    const auto tables = OrcTables::read(vmlinux_with(rules, GetParam()), "vmlinux");
    EXPECT_TRUE(tables);
    Registers at;
    at.ip = ip + kSlide;
    at.general[Registers::kSp] = sp;
    at.general[Registers::kBp] = bp;
    const auto read_word = [&](std::uint64_t address) {
      const auto found = memory.find(address);
      return found == memory.end() ? std::nullopt : std::optional(found->second);
    };
    return tables ? tables->unwind(at, kSlide, read_word) : KernelStack();
  }
  std::map<std::uint64_t, std::uint64_t> memory;
};

TEST_P(Orc, FollowsCallsToAnEntryByInterrupt) {
  // f has pushed RBP and uses it; g called f, and was called by an entry that has saved all registers.
  const std::vector<Rule> rules = {{kText, 16, -16, kBp, kPrevSp, kCall, false},
                                   {kText + 0x100, 24, 0, kSp, kUndefined, kCall, false},
                                   {kText + 0x200, 0, 0, kSp, kUndefined, kRegs, false}};
  memory[kStack + 0x100] = 0x1234;                 // f's saved RBP
  memory[kStack + 0x108] = kText + kSlide + 0x150; // into g
  memory[kStack + 0x120] = kText + kSlide + 0x250; // into the entry
  const auto regs = kStack + 0x128;
  for (std::uint64_t word = 0; word < 21; ++word)
    memory[regs + 8 * word] = 0x100 + word;
  memory[regs + 8 * 16] = 0x401000;
  memory[regs + 8 * 19] = 0x7ffffff0;
  const auto stack = unwind(rules, kText + 0x40, kStack + 0x80, kStack + 0x100);
  EXPECT_THAT(stack.calls,
              ElementsAre(kText + kSlide + 0x40, kText + kSlide + 0x14f, kText + kSlide + 0x24f));
  ASSERT_TRUE(stack.program);
  EXPECT_EQ(stack.program->ip, 0x401000u);
  EXPECT_EQ(stack.program->sp(), 0x7ffffff0u);
  EXPECT_EQ(stack.program->bp(), 0x104u);
  EXPECT_EQ(stack.program->general[15], 0x100u);
  EXPECT_EQ(stack.program->general[5], 0x10eu) << "rdi";
}

TEST_P(Orc, FindsTheCallerOfADirectEntry) {
  const std::vector<Rule> rules = {{kText, 8, 0, kSp, kUndefined, kCall, false},
                                   {kText + 0x100, 0, 0, kUndefined, kUndefined, kCall, true}};
  const auto regs = kStack + 16384 - 168;
  memory[regs - 8] = kText + kSlide + 0x120;
  memory[regs + 128] = 0x401234;
  memory[regs + 152] = 0x7fffff00;
  const auto stack = unwind(rules, kText + 0x10, regs - 8, 0x7777);
  EXPECT_THAT(stack.calls, ElementsAre(kText + kSlide + 0x10, kText + kSlide + 0x11f));
  ASSERT_TRUE(stack.program);
  EXPECT_EQ(stack.program->ip, 0x401234u);
  EXPECT_EQ(stack.program->sp(), 0x7fffff00u);
  EXPECT_EQ(stack.program->bp(), 0x7777u);
}

TEST_P(Orc, ThreadsOfTheKernelHaveNoProgram) {
  const std::vector<Rule> rules = {{kText, 0, 0, kUndefined, kUndefined, kCall, true}};
  const auto regs = kStack + 16384 - 168;
  memory[regs + 128] = 0;
  memory[regs + 152] = 0;
  EXPECT_FALSE(unwind(rules, kText + 1, regs - 64, 0).program);
}

TEST_P(Orc, GoesThroughOtherStacksAndPartOfTheRegisters) {
  const std::vector<Rule> rules = {{kText, 8, 0, kSpIndirect, kUndefined, kCall, false},
                                   {kText + 0x100, 8, 0, kSp, kUndefined, kPartial, false}};
  memory[kStack + 0x10] = kStack + 0x1000; // where the other stack was
  memory[kStack + 0x1000] = kText + kSlide + 0x180;
  memory[kStack + 0x1010] = 0x402000;
  memory[kStack + 0x1028] = 0x7ffffe00;
  const auto stack = unwind(rules, kText + 0x10, kStack + 0x10, 0);
  EXPECT_THAT(stack.calls, ElementsAre(kText + kSlide + 0x10, kText + kSlide + 0x17f));
  ASSERT_TRUE(stack.program);
  EXPECT_EQ(stack.program->ip, 0x402000u);
  EXPECT_EQ(stack.program->sp(), 0x7ffffe00u);
}

TEST_P(Orc, EndsWhereMemoryOrRulesEnd) {
  const std::vector<Rule> rules = {{kText, 8, 0, kSp, kUndefined, kCall, false}};
  EXPECT_THAT(unwind(rules, kText + 0x10, kStack, 0).calls, ElementsAre(kText + kSlide + 0x10));
  // One that leads to itself.
  for (std::uint64_t at = kStack; at < kStack + 0x4000; at += 8)
    memory[at] = kText + kSlide + 0x20;
  EXPECT_LE(unwind(rules, kText + 0x10, kStack, 0).calls.size(), 128u);
}

INSTANTIATE_TEST_SUITE_P(LinuxReleases, Orc, testing::Bool());

TEST(OrcTables, SmallKernelsHaveNone) {
  EXPECT_FALSE(OrcTables::read(vmlinux_with({}, false), "vmlinux"));
  EXPECT_FALSE(OrcTables::read({1, 2, 3}, "vmlinux"));
}

// This process itself, by its own tables.
std::vector<LoadedFile> own_files() {
  std::vector<LoadedFile> files;
  const auto maps = read_text("/proc/self/maps");
  for (const auto& [path, start] : code_in_maps(*maps))
    files.push_back({path, start});
  return files;
}

struct OwnStack {
  std::vector<std::uint64_t> calls;
};

__attribute__((noinline)) void look_at_own_stack(OwnStack& stack) {
  ucontext_t here = {};
  getcontext(&here);
  const auto* saved = here.uc_mcontext.gregs;
  const std::array<int, 16> order = {REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RBP, REG_RSP,
                                     REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
  Registers at;
  for (std::size_t number = 0; number < order.size(); ++number)
    at.general[number] = static_cast<std::uint64_t>(saved[order[number]]);
  at.ip = static_cast<std::uint64_t>(saved[REG_RIP]);
  stack.calls = ProgramStacks(own_files()).unwind(at, [](std::uint64_t address) {
    return std::optional(*reinterpret_cast<const std::uint64_t*>(address)); // all that is asked for is ours
  });
}

__attribute__((noinline)) void calls_that(OwnStack& stack) {
  look_at_own_stack(stack);
  asm volatile("" : : "r"(&stack) : "memory"); // no tail call
}

TEST(ProgramStacks, FollowThisProcessByItsOwnTables) {
  OwnStack stack;
  calls_that(stack);
  FunctionNames names;
  for (const auto& file : own_files())
    names.add(file);
  std::vector<std::string> found;
  for (const auto address : stack.calls)
    found.push_back(names.at(address));
  const auto at = [&](const std::string& part) {
    return std::ranges::find_if(found,
                                [&](const auto& name) { return name.find(part) != std::string::npos; }) -
           found.begin();
  };
  const auto all = static_cast<std::ptrdiff_t>(found.size());
  EXPECT_EQ(at("look_at_own_stack"), 0) << testing::PrintToString(found);
  EXPECT_EQ(at("calls_that"), 1) << testing::PrintToString(found);
  EXPECT_LT(at("TestBody"), all) << testing::PrintToString(found);
  EXPECT_LT(at("main"), all) << testing::PrintToString(found);
  EXPECT_EQ(names.at(8), "[unknown]");
}

TEST(ProgramStacks, WithoutFilesKnowWhereItStands) {
  Registers at;
  at.ip = 0x1234;
  EXPECT_THAT(ProgramStacks({}).unwind(at, [](std::uint64_t) { return std::nullopt; }), ElementsAre(0x1234u));
}

} // namespace
} // namespace ukl
