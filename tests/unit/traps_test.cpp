// SPDX-License-Identifier: GPL-2.0-only
// Instructions that ring 3 refuses, and what looks like them. What becomes of them when they run:
// tests/boot/programs/privileged.cpp.
#include "elf/view.hpp"
#include "rewrite/rewriter.hpp"
#include "support/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

using namespace ukl;

namespace {

struct Text {
  Bytes before, after, file;
};

// The text of a program of this assembly before and after it is rewritten.
Text rewrite_program(const std::string& source, const std::vector<std::string>& options = {}) {
  auto folder = TemporaryFolder::create("traps-test");
  EXPECT_TRUE(folder);
  const auto path = folder->path() / "f.s", output = folder->path() / "f";
  EXPECT_TRUE(write_text(path, source));
  std::vector<std::string> command{"gcc", "-nostdlib", "-static", "-o", output, path};
  command.insert(command.end(), options.begin(), options.end());
  auto built = run_command(command);
  EXPECT_TRUE(built && built->status == 0) << (built ? built->text : built.error().message);
  auto file = read_file(output);
  EXPECT_TRUE(file);
  if (!file)
    return {};
  const auto text_of = [](const Bytes& elf) -> Bytes {
    auto view = rewrite::ElfView::parse(elf, "f");
    EXPECT_TRUE(view);
    const auto* section = view ? view->section(".text") : nullptr;
    return section ? Bytes(section->bytes.begin(), section->bytes.end()) : Bytes{};
  };
  Text text{text_of(*file), {}, {}};
  RewriteOptions rewriting;
  rewriting.name = "f";
  EXPECT_TRUE(rewrite_elf(*file, rewriting));
  text.after = text_of(*file);
  text.file = std::move(*file);
  return text;
}

std::string function(const std::string& name, const std::string& body) {
  return ".text\n.globl " + name + "\n.type " + name + ",@function\n" + name + ":\n" + body + "\n.size " +
         name + ",.-" + name + "\n";
}

std::vector<std::size_t> changed(const Text& text) {
  std::vector<std::size_t> places;
  EXPECT_EQ(text.before.size(), text.after.size());
  for (std::size_t i = 0; i < text.before.size() && i < text.after.size(); ++i)
    if (text.before[i] != text.after[i])
      places.push_back(i);
  return places;
}

TEST(Traps, PrivilegedInstructionsAndTheTable) {
  const auto text = rewrite_program(function("_start", "nop\nrdmsr\npopfq\nrep outsl\ninl $0x70,%eax\nhlt"));
  // nop 0, rdmsr 1, popfq 3, rep outsl 4, in 6, hlt 8
  EXPECT_THAT(changed(text), testing::ElementsAre(1, 3, 4, 6, 8));
  for (const auto place : changed(text))
    EXPECT_EQ(text.after[place], UKL_TRAP_BYTE);

  const auto header = rewrite::load<Elf64_Ehdr>(text.file, 0);
  const auto mark = rewrite::load<ukl_mark>(text.file, header->e_phoff - sizeof(ukl_mark));
  ASSERT_TRUE(mark);
  EXPECT_EQ(std::string(mark->magic, sizeof mark->magic), UKL_MARK_MAGIC);
  ASSERT_EQ(mark->trap_count, 5u);
  std::vector<ukl_trap> traps;
  for (unsigned i = 0; i < 5; ++i)
    traps.push_back(*rewrite::load<ukl_trap>(text.file, mark->traps + i * sizeof(ukl_trap)));
  const auto expect = [&](unsigned i, unsigned kind, unsigned length, unsigned size, unsigned operand,
                          unsigned first) {
    EXPECT_EQ(traps[i].kind, kind) << i;
    EXPECT_EQ(traps[i].length, length) << i;
    EXPECT_EQ(traps[i].size, size) << i;
    EXPECT_EQ(traps[i].operand, operand) << i;
    EXPECT_EQ(traps[i].first_byte, first) << i;
    EXPECT_EQ(text.file[traps[i].offset], UKL_TRAP_BYTE) << i;
  };
  expect(0, UKL_TRAP_PROTECTED, 2, 0, 0, 0x0f);
  expect(1, UKL_TRAP_POP_FLAGS, 1, 8, 0, 0x9d);
  expect(2, UKL_TRAP_PORT_DX, 2, 4, 0, 0xf3);
  expect(3, UKL_TRAP_PORT, 2, 4, 0x70, 0xe5);
  expect(4, UKL_TRAP_PROTECTED, 1, 0, 0, 0xf4);
  EXPECT_EQ(traps[0].copy, 0);
  EXPECT_NE(traps[3].copy, 0);
}

TEST(Traps, InterruptsCarryTheirErrorCode) {
  const auto text = rewrite_program(function("_start", "int $14\nint3\nint $3"));
  EXPECT_THAT(changed(text), testing::ElementsAre(0));
  const auto header = rewrite::load<Elf64_Ehdr>(text.file, 0);
  const auto mark = rewrite::load<ukl_mark>(text.file, header->e_phoff - sizeof(ukl_mark));
  EXPECT_EQ(rewrite::load<ukl_trap>(text.file, mark->traps)->operand, 14 << 3 | 2);
}

TEST(Traps, MemoryRelativeToGsLosesItsPrefix) {
  const auto text = rewrite_program(function("_start", "movq %gs:0x28,%rax\nmovq %fs:0x28,%rax\nret"));
  EXPECT_THAT(changed(text), testing::ElementsAre(0));
  EXPECT_EQ(text.after[0], 0x3e);
}

// Text, constants and tables in the text section: an 'l' would be an insb, and "He" a prefix.
TEST(Traps, DataInTheTextStaysAsItIs) {
  for (const std::string data :
       {".ascii \"Hello, hello, all the lolly\\n\"", ".byte 0xf4,0xf4,0xfa,0xfb", ".fill 64,1,0x9d"}) {
    const auto code = std::string("lea data(%rip),%rsi\nmov data(%rip),%eax\nret\n");
    EXPECT_THAT(changed(rewrite_program(function("_start", code) + "data: " + data)), testing::IsEmpty())
        << data;
    EXPECT_THAT(changed(rewrite_program(function("_start", code) + "data: " + data, {"-s"})),
                testing::IsEmpty())
        << data;
    EXPECT_THAT(
        changed(rewrite_program(".text\n.globl _start\n_start: jmp 1f\ndata: " + data + "\n1: " + code)),
        testing::IsEmpty())
        << data;
    EXPECT_THAT(changed(rewrite_program(".text\n.globl _start\n_start: call 1f\ndata: " + data +
                                        "\n1: pop %rsi\nret")),
                testing::IsEmpty())
        << data;
  }
}

// OpenSSL's RC4_options: a function whose size covers a text that it returns, and which decodes.
TEST(Traps, DataInsideOfAFunctionStaysAsItIs) {
  const auto text = rewrite_program(
      function("_start", "lea data(%rip),%rax\ncmp $1,%edi\njb 1f\nadd $12,%rax\n1: ret\n.balign 64\n"
                         "data: .ascii \"rc4(16x,int)\\0RC4 for x86_64, CRYPTOGAMS by "
                         "<appro@openssl.org>\\0\"\n.balign 64"));
  EXPECT_THAT(changed(text), testing::IsEmpty());
}

// As in a stripped static program of musl: reached from the entry point by calls and jumps alone.
TEST(Traps, WithoutSymbolsWhatCallsReach) {
  const auto text = rewrite_program(
      ".text\n.globl _start\n_start: call f\nmov %eax,%edi\nret\n.byte 0xf4\nf: test %eax,%eax\njne 1f\nret\n"
      ".byte 0xf4\n1: hlt\n",
      {"-s"});
  // call 0, mov 5, ret 7, data 8, test 9, jne 11, ret 13, data 14, hlt 15
  EXPECT_THAT(changed(text), testing::ElementsAre(15));
}

// Two readings of the same bytes: neither is certain.
TEST(Traps, OverlappingCodeStaysAsItIs) {
  const auto text =
      rewrite_program(function("_start", "test %eax,%eax\nje 1f+1\n1: .byte 0x0f,0x32,0xc3\nret"));
  EXPECT_THAT(changed(text), testing::IsEmpty());
}

// A stub would run it where the kernel does not look.
TEST(Traps, NoneMovesIntoAStub) {
  const auto text = rewrite_program(function("_start", "xor %edi,%edi\ncli\nmov %esi,%eax\nsyscall\nret"));
  EXPECT_THAT(changed(text), testing::ElementsAre(2));
}

} // namespace
