// SPDX-License-Identifier: GPL-2.0-only
// The rewriter's decisions, one small assembly program each. That rewritten programs run:
// rewrite_run_test.cpp.
#include "elf/view.hpp"
#include "rewrite/join_segments.hpp"
#include "rewrite/report.hpp"
#include "support/process.hpp"
#include "target/syscall_names.hpp"

#include <algorithm>
#include <ctime>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <regex>

namespace fs = std::filesystem;
using namespace ukl;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

// A file of one function `f`, linked from assembly text.
Bytes assemble(const std::string& body, std::vector<std::string> options = {"-static"}) {
  auto folder = TemporaryFolder::create("rewrite-test");
  EXPECT_TRUE(folder);
  const auto source = folder->path() / "f.s", output = folder->path() / "f";
  EXPECT_TRUE(write_text(source, ".text\n.globl _start, f\n.type f,@function\n_start:\nf: .cfi_startproc\n" +
                                     body + "\n.cfi_endproc\n.size f,.-f\n"));
  std::vector<std::string> command{"gcc", "-nostdlib", "-o", output, source};
  command.insert(command.end(), options.begin(), options.end());
  auto built = run_command(command);
  EXPECT_TRUE(built && built->status == 0) << (built ? built->text : built.error().message);
  auto bytes = read_file(output);
  EXPECT_TRUE(bytes);
  return bytes ? *bytes : Bytes{};
}

RewriteOptions named(const std::string& name) {
  RewriteOptions options;
  options.name = name;
  return options;
}

RewriteReport rewrite(Bytes& elf) {
  auto report = rewrite_elf(elf, named("f"));
  EXPECT_TRUE(report) << report.error().message;
  return report ? *report : RewriteReport{};
}

RewriteReport rewrite_text(const std::string& body) {
  auto elf = assemble(body);
  return rewrite(elf);
}

// The bytes at an address of a file.
Bytes bytes_at(const Bytes& elf, std::uint64_t address, std::size_t count) {
  auto view = rewrite::ElfView::parse(elf, "f");
  const auto found = view ? view->at(address) : rewrite::ByteView{};
  if (found.size() < count)
    return {};
  return {found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count)};
}

TEST(Rewrite, NumberDirectlyBefore) {
  auto elf = assemble("mov $39,%eax\nsyscall\nret");
  const auto report = rewrite(elf);
  ASSERT_EQ(report.sites.size(), 1u);
  const auto& site = report.sites[0];
  EXPECT_EQ(site.treatment, Treatment::jump_by_number);
  EXPECT_THAT(site.numbers, ElementsAre(39u));
  EXPECT_EQ(site.function, "f");
  EXPECT_FALSE(report.unknown_numbers);
  // jmp stub; syscall stays.
  const auto code = bytes_at(elf, site.address - 5, 8);
  EXPECT_EQ(code[0], 0xe9);
  EXPECT_THAT(Bytes(code.begin() + 5, code.end()), ElementsAre(0x0f, 0x05, 0xc3));
  std::int32_t distance;
  std::memcpy(&distance, &code[1], 4);
  const auto stub = site.address + static_cast<std::uint64_t>(std::int64_t{distance});
  const auto moved = bytes_at(elf, stub, 14);
  std::int32_t back;
  std::memcpy(&back, &moved[3], 4);
  EXPECT_THAT(Bytes(moved.begin(), moved.begin() + 3), ElementsAre(0x48, 0x8d, 0x0d));
  EXPECT_EQ(stub + 7 + static_cast<std::uint64_t>(std::int64_t{back}), site.address + 2);
  std::uint32_t entry;
  std::memcpy(&entry, &moved[10], 4);
  EXPECT_THAT(Bytes(moved.begin() + 7, moved.begin() + 10), ElementsAre(0xff, 0x24, 0x25));
  EXPECT_EQ(entry, static_cast<std::uint32_t>(UKL_GATE + 39 * 8));
}

TEST(Rewrite, MovesWhatStandsBetween) {
  auto elf = assemble("mov $1,%eax\nlea f(%rip),%rsi\nmov $4,%edx\nsyscall\nret");
  const auto report = rewrite(elf);
  ASSERT_EQ(report.sites.size(), 1u);
  EXPECT_EQ(report.sites[0].treatment, Treatment::jump_by_number);
  EXPECT_THAT(report.sites[0].numbers, ElementsAre(1u));
  EXPECT_EQ(bytes_at(elf, report.sites[0].address - 5, 1), Bytes{0xe9});
}

TEST(Rewrite, FollowsConstants) {
  struct Case {
    const char* code;
    std::vector<std::uint32_t> numbers;
  };
  for (const auto& [code, numbers] : std::vector<Case>{
           {"xor %eax,%eax\nmov $5,%edx\nsyscall\nret", {0}},
           {"mov $202,%ebx\ncall g\nmov %ebx,%eax\nmov $5,%edx\nsyscall\ng: ret", {202}},
           {"mov $202,%esi\ncall g\nmov %esi,%eax\nmov $5,%edx\nsyscall\ng: ret", {}},
           {"push $12\npop %rax\nmov $5,%edx\nsyscall\nret", {12}},
           {"xor %eax,%eax\nmov $56,%al\nmov $5,%edx\nsyscall\nret", {56}},
           {"mov $7,%edx\nlea 3(%rdx),%eax\nmov $5,%edx\nsyscall\nret", {10}},
           {"mov $1,%eax\ntest %edi,%edi\nje 1f\nmov $2,%eax\n1: mov $5,%edx\nsyscall\nret", {1, 2}},
           {"mov %edi,%eax\nmov $5,%edx\nsyscall\nret", {}},
           {"mov $1,%eax\nmov %edi,%eax\ncmovz %esi,%eax\nmov $5,%edx\nsyscall\nret", {}},
           {"mov $9,%r8d\n1: mov %r8d,%eax\nmov $5,%edx\nsyscall\ntest %eax,%eax\njne 1b\nret", {9}},
       }) {
    const auto report = rewrite_text(code);
    ASSERT_EQ(report.sites.size(), 1u) << code;
    EXPECT_EQ(report.sites[0].numbers, numbers) << code;
    EXPECT_EQ(report.sites[0].treatment,
              numbers.size() == 1 ? Treatment::jump_by_number : Treatment::jump_indexed)
        << code;
    EXPECT_EQ(report.unknown_numbers, numbers.empty()) << code;
  }
}

TEST(Rewrite, JumpToTheSiteItselfBringsItsOwnNumber) {
  const auto report = rewrite_text("test %edi,%edi\nmov $3,%eax\nje 1f\nmov $4,%eax\n1: syscall\nret");
  ASSERT_EQ(report.sites.size(), 1u);
  EXPECT_THAT(report.sites[0].numbers, ElementsAre(3u, 4u));
  EXPECT_EQ(report.sites[0].treatment, Treatment::jump_by_number);
}

TEST(Rewrite, NothingIsMovedThatIsJumpedTo) {
  for (const char* code : {
           "jmp 1f\nmov %edi,%eax\n1: mov %esi,%edi\nsyscall\nret",
           "mov %edi,%eax\n1: mov %esi,%edi\nsyscall\nret\n.section .data\n.balign 8\n.quad 1b\n.text",
           "lea t(%rip),%rdx\nmovslq (%rdx,%rdi,4),%rax\nadd %rdx,%rax\njmp *%rax\n2: mov %edi,%eax\n1: mov "
           "%esi,%edi\nsyscall\nret\n.section .rodata\n.balign 4\nt: .long 1b-t,2b-t\n.text",
       }) {
    const auto report = rewrite_text(code);
    ASSERT_EQ(report.sites.size(), 1u) << code;
    EXPECT_EQ(report.sites[0].reason, Reason::jump_target) << code;
  }
}

TEST(Rewrite, ComputedJumpWithoutTable) {
  const auto report = rewrite_text("mov %edi,%ebx\nmov %r8d,%r9d\nmov %esi,%eax\nsyscall\njmp *%rdx");
  ASSERT_EQ(report.sites.size(), 1u);
  EXPECT_EQ(report.sites[0].reason, Reason::indirect_jump);
}

TEST(Rewrite, ShortRoomGoesOverPadding) {
  auto elf = assemble("test %edi,%edi\nje 1f\nxor %eax,%eax\nsyscall\nret\nnopw 0x0(%rax,%rax,1)\n1: ret");
  const auto report = rewrite(elf);
  ASSERT_EQ(report.sites.size(), 1u);
  EXPECT_EQ(report.sites[0].treatment, Treatment::jump_by_number);
  EXPECT_THAT(bytes_at(elf, report.sites[0].address - 2, 4), ElementsAre(0xeb, 0x03, 0x0f, 0x05));
  EXPECT_EQ(bytes_at(elf, report.sites[0].address + 3, 1), Bytes{0xe9});
}

TEST(Rewrite, NoRoom) {
  const auto report = rewrite_text("test %edi,%edi\nje 1f\nxor %eax,%eax\nsyscall\n1: ret");
  ASSERT_EQ(report.sites.size(), 1u);
  EXPECT_EQ(report.sites[0].treatment, Treatment::left);
  EXPECT_EQ(report.sites[0].reason, Reason::no_room);
  EXPECT_THAT(report.sites[0].numbers, ElementsAre(0u));
}

TEST(Rewrite, StackPointerNeverMovesInAStub) {
  const auto report = rewrite_text("xor %eax,%eax\nsub $8,%rsp\nsyscall\nadd $8,%rsp\nret");
  ASSERT_EQ(report.sites.size(), 1u);
  EXPECT_EQ(report.sites[0].reason, Reason::no_room);
}

TEST(Rewrite, SignalReturnStays) {
  auto elf = assemble("mov $15,%rax\nsyscall");
  const auto before = elf;
  const auto report = rewrite(elf);
  ASSERT_EQ(report.sites.size(), 1u);
  EXPECT_EQ(report.sites[0].reason, Reason::signal_return);
  EXPECT_EQ(elf, before);
}

// glibc's own: the frame entry begins a byte before the trampoline, in the middle of padding.
TEST(Rewrite, SignalReturnBehindPadding) {
  const auto report =
      rewrite_text("ret\n.cfi_endproc\n.byte 0x0f,0x1f,0x40\n.cfi_startproc simple\n.cfi_signal_frame\n"
                   ".byte 0\nmov $15,%rax\nsyscall");
  ASSERT_EQ(report.sites.size(), 1u);
  EXPECT_EQ(report.sites[0].reason, Reason::signal_return);
}

TEST(Rewrite, CancellationPointStays) {
  const auto report =
      rewrite_text("mov (%rdi),%eax\ntest %eax,%eax\njne 1f\nmov %rsi,%rax\nmov %r11,8(%rsp)\n"
                   "syscall\nret\n1: ud2");
  ASSERT_EQ(report.sites.size(), 1u);
  EXPECT_EQ(report.sites[0].reason, Reason::cancellation_range);
}

TEST(Rewrite, BytesInsideOtherInstructionsAreNoSite) {
  auto elf = assemble("mov $0x050f,%eax\nmov $0x12050f,%edi\nlea 0x50f(%rdi),%rdi\nret");
  const auto before = elf;
  EXPECT_THAT(rewrite(elf).sites, IsEmpty());
  EXPECT_EQ(elf, before);
}

TEST(Rewrite, DataInTextStays) {
  auto elf = assemble("jmp 1f\n.byte 0xb8,1,0,0,0,0x0f,0x05,0x06,0x07\n1: ret");
  const auto before = elf;
  const auto report = rewrite(elf);
  ASSERT_EQ(report.sites.size(), 1u);
  EXPECT_EQ(report.sites[0].reason, Reason::undecodable);
  EXPECT_EQ(elf, before);
}

TEST(Rewrite, TwiceChangesNothing) {
  auto elf = assemble("mov $39,%eax\nsyscall\nmov %edi,%eax\nmov $5,%edx\nsyscall\npush %rax\nsyscall\nret");
  const auto original = elf;
  const auto first = rewrite(elf);
  const auto once = elf;
  EXPECT_NE(once, original);
  const auto second = rewrite(elf);
  EXPECT_EQ(elf, once);
  EXPECT_TRUE(second.already_rewritten);
  EXPECT_EQ(report_json(second)["sites"], report_json(first)["sites"]);
  auto again = original;
  rewrite(again);
  EXPECT_EQ(again, once) << "not deterministic";
  const auto inspected = inspect_elf(original, named("f"));
  ASSERT_TRUE(inspected);
  EXPECT_EQ(report_json(*inspected)["sites"], report_json(first)["sites"]);
}

TEST(Rewrite, LibraryWithTextRelocations) {
  auto elf = assemble("mov $39,%eax\nsyscall\n.quad f\nret", {"-shared", "-Wl,-z,notext"});
  EXPECT_EQ(rewrite(elf).sites.at(0).reason, Reason::text_relocation);
}

TEST(Rewrite, ProgramHeadersStayConsistent) {
  for (const auto& options :
       std::vector<std::vector<std::string>>{{"-static"}, {"-static-pie"}, {"-pie"}, {"-shared"}}) {
    auto elf = assemble("mov $39,%eax\nsyscall\nret\n.bss\n.skip 100000\n.text", options);
    rewrite(elf);
    auto view = rewrite::ElfView::parse(elf, "f");
    ASSERT_TRUE(view);
    const auto* table = view->segment(PT_PHDR);
    const auto size = view->segments.size() * sizeof(Elf64_Phdr);
    const Elf64_Phdr* last = nullptr;
    bool covered = false;
    for (const auto& segment : view->segments) {
      if (segment.p_type != PT_LOAD)
        continue;
      EXPECT_TRUE(!last || segment.p_vaddr >= last->p_vaddr + last->p_memsz) << "segments must ascend";
      EXPECT_EQ(segment.p_vaddr % 4096, segment.p_offset % 4096);
      last = &segment;
      covered |= view->header.e_phoff >= segment.p_offset &&
                 view->header.e_phoff + size <= segment.p_offset + segment.p_filesz;
    }
    EXPECT_TRUE(covered) << "the kernel finds AT_PHDR through a segment";
    if (!table)
      continue;
    EXPECT_EQ(table->p_offset, view->header.e_phoff);
    EXPECT_EQ(table->p_filesz, size);
  }
}

// Programs find what is appended to them from the file's end, from where sections or segments end, or at an
// offset that they know.
TEST(Rewrite, AppendedDataKeepsItsFileAsItIs) {
  for (const auto& options :
       std::vector<std::vector<std::string>>{{"-static"}, {"-static-pie"}, {"-pie"}, {"-shared"}}) {
    auto elf = assemble("mov $39,%eax\nsyscall\nret\n.bss\n.skip 100000\n.text", options);
    for (const char letter : std::string("payload"))
      elf.push_back(static_cast<std::uint8_t>(letter));
    const auto before = elf;
    const auto report = rewrite(elf);
    EXPECT_EQ(elf, before) << options[0];
    EXPECT_EQ(report.added_bytes, 0u);
    EXPECT_EQ(report.kept, Reason::appended_data);
    ASSERT_EQ(report.sites.size(), 1u);
    EXPECT_EQ(report.sites[0].treatment, Treatment::left);
    EXPECT_EQ(report.sites[0].reason, Reason::appended_data);
    EXPECT_THAT(report.sites[0].numbers, ElementsAre(39u)) << "which calls it makes is known all the same";
    const auto inspected = inspect_elf(before, named("f"));
    ASSERT_TRUE(inspected);
    EXPECT_EQ(report_json(*inspected), report_json(report));
    EXPECT_NE(report_text(report).find("data of its own follows"), std::string::npos);
  }
}

// Without section headers (sstrip, packers) a file ends with its segments.
TEST(Rewrite, AppendedDataWithoutSections) {
  auto elf = assemble("mov $39,%eax\nsyscall\nret");
  Elf64_Ehdr header;
  std::memcpy(&header, elf.data(), sizeof header);
  header.e_shoff = 0;
  header.e_shnum = header.e_shstrndx = 0;
  std::memcpy(elf.data(), &header, sizeof header);
  const auto view = rewrite::ElfView::parse(elf, "f");
  ASSERT_TRUE(view);
  std::uint64_t end = 0;
  for (const auto& segment : view->segments)
    end = std::max(end, segment.p_offset + segment.p_filesz);
  ASSERT_LT(end, elf.size()) << "what the sections described is behind the segments";
  auto stripped = Bytes(elf.begin(), elf.begin() + static_cast<std::ptrdiff_t>(end));
  EXPECT_EQ(rewrite(stripped).sites.at(0).treatment, Treatment::jump_by_number);
  EXPECT_EQ(rewrite(elf).kept, Reason::appended_data);
}

// patchelf leaves a byte of zero behind the section headers of every library that it changes.
TEST(Rewrite, AlignmentIsNoAppendedData) {
  auto elf = assemble("mov $39,%eax\nsyscall\nret");
  elf.resize(elf.size() + 1);
  EXPECT_EQ(rewrite(elf).sites.at(0).treatment, Treatment::jump_by_number);
  elf = assemble("mov $39,%eax\nsyscall\nret");
  elf.resize(elf.size() + 16384);
  EXPECT_EQ(rewrite(elf).kept, Reason::appended_data);
}

TEST(Rewrite, PackedProgramStaysAsItIs) {
  auto elf = assemble("mov $39,%eax\nsyscall\nret");
  Elf64_Ehdr header;
  std::memcpy(&header, elf.data(), sizeof header);
  std::memcpy(&elf[header.e_phoff + header.e_phnum * sizeof(Elf64_Phdr) + 4], "UPX!", 4);
  const auto before = elf;
  EXPECT_EQ(rewrite(elf).kept, Reason::packed);
  EXPECT_EQ(elf, before);
}

// Each mapping costs fork and exec; the stubs' segment is paid for by one that the linker made.
TEST(Rewrite, AddsNoMapping) {
  const auto mappings = [](const Bytes& elf) {
    auto view = rewrite::ElfView::parse(elf, "f");
    EXPECT_TRUE(view);
    return std::ranges::count(view->segments, std::uint32_t{PT_LOAD}, &Elf64_Phdr::p_type);
  };
  for (const auto& options :
       std::vector<std::vector<std::string>>{{"-static"}, {"-static-pie"}, {"-pie"}, {"-shared"}}) {
    auto elf = assemble("mov $39,%eax\nsyscall\nret", options);
    const auto before = mappings(elf);
    rewrite(elf);
    EXPECT_EQ(mappings(elf), before) << options[0];
  }
  // Headers and text share a mapping already, so there is nothing to join.
  auto elf = assemble("mov $39,%eax\nsyscall\nret", {"-static", "-Wl,-z,noseparate-code"});
  const auto before = mappings(elf);
  rewrite(elf);
  EXPECT_EQ(mappings(elf), before + 1);
}

TEST(Rewrite, JoinsOnlyNeighbours) {
  const auto load = [](std::uint32_t flags, std::uint64_t offset, std::uint64_t address, std::uint64_t size) {
    return Elf64_Phdr{PT_LOAD, flags, offset, address, address, size, size, 4096};
  };
  const auto joins = [](std::vector<Elf64_Phdr> segments) {
    const auto count = segments.size();
    rewrite::join_headers_and_text(segments);
    return segments.size() < count;
  };
  const auto headers = load(PF_R, 0, 0x400000, 0x5c0), text = load(PF_R | PF_X, 0x1000, 0x401000, 0x2000);
  std::vector<Elf64_Phdr> both = {headers, text, load(PF_R, 0x3000, 0x403000, 0x100)};
  rewrite::join_headers_and_text(both);
  ASSERT_EQ(both.size(), 2u);
  EXPECT_EQ(both[0].p_vaddr, 0x400000u);
  EXPECT_EQ(both[0].p_offset, 0u);
  EXPECT_EQ(both[0].p_filesz, 0x3000u);
  EXPECT_EQ(both[0].p_memsz, 0x3000u);
  EXPECT_EQ(both[0].p_flags, std::uint32_t{PF_R | PF_X});

  EXPECT_FALSE(joins({}));
  EXPECT_FALSE(joins({headers}));
  EXPECT_FALSE(joins({headers, load(PF_R | PF_X, 0x1000, 0x402000, 0x2000)})) << "farther apart in memory";
  EXPECT_FALSE(joins({headers, load(PF_R | PF_X, 0x2000, 0x402000, 0x2000)})) << "a page between";
  EXPECT_FALSE(joins({headers, load(PF_R | PF_X, 0x5c0, 0x4005c0, 0x2000)})) << "in one page";
  EXPECT_FALSE(joins({load(PF_R, 0, 0x400000, 0x1000), load(PF_R | PF_X, 0x2000, 0x402000, 0x2000)}));
  EXPECT_FALSE(joins({load(PF_R | PF_W, 0, 0x400000, 0x5c0), text})) << "nothing writable is made executable";
  EXPECT_FALSE(joins({headers, load(PF_R | PF_W | PF_X, 0x1000, 0x401000, 0x2000)}));
  auto with_zeros = headers;
  with_zeros.p_memsz += 16;
  EXPECT_FALSE(joins({with_zeros, text})) << "memory that is zeroed";
}

TEST(Rewrite, ErrorsLeaveTheFileAlone) {
  const auto fails = [](Bytes elf, Failure failure) {
    const auto before = elf;
    const auto report = rewrite_elf(elf, named("f"));
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().failure, failure);
    EXPECT_EQ(elf, before);
  };
  const auto elf = assemble("mov $39,%eax\nsyscall\nret");
  fails({}, Failure::not_elf);
  fails({'#', '!', '/', 'b', 'i', 'n'}, Failure::not_elf);
  fails(Bytes(elf.begin(), elf.begin() + 100), Failure::not_elf);
  fails(Bytes(elf.begin(), elf.begin() + 4097), Failure::not_elf);
  auto other = elf;
  other[EI_CLASS] = ELFCLASS32;
  fails(other, Failure::wrong_architecture);
  other = elf;
  other[18] = EM_AARCH64;
  fails(other, Failure::wrong_architecture);
  other = elf;
  other[16] = ET_REL;
  fails(other, Failure::not_elf);
  EXPECT_FALSE(is_rewritable(other));
  EXPECT_TRUE(is_rewritable(elf));
}

TEST(Rewrite, NamesAreThoseOfTheKernel) {
  const auto header = read_text("/usr/include/x86_64-linux-gnu/asm/unistd_64.h");
  if (!header)
    GTEST_SKIP() << header.error().message;
  const std::regex line("#define __NR_(\\w+) (\\d+)");
  unsigned count = 0;
  for (std::sregex_iterator at(header->begin(), header->end(), line), end; at != end; ++at, ++count) {
    const auto number = static_cast<std::uint32_t>(std::stoul((*at)[2]));
    if (number > 450)
      continue; // newer than Linux 6.1
    EXPECT_EQ(syscall_name(number), (*at)[1].str());
    EXPECT_EQ(syscall_number((*at)[1].str()), number);
  }
  EXPECT_GT(count, 300u);
  EXPECT_EQ(syscall_name(9999), "");
  EXPECT_EQ(syscall_number("no such call"), std::nullopt);
}

TEST(Rewrite, ReportNamesSites) {
  const auto text = report_text(rewrite_text("mov $39,%eax\nsyscall\nret"));
  EXPECT_THAT(text, testing::HasSubstr(
                        "1 system-call sites, 1 jump-by-number, 0 jump-indexed, 0 left; 1 calls known\n"));
  EXPECT_THAT(text, testing::HasSubstr("getpid(39)"));
}

// The C library has by far the most sites for its size; other files are mostly a search for two bytes.
TEST(Rewrite, Speed) {
  std::uint64_t text = 0;
  double seconds = 0;
  for (const char* path :
       {"/lib/x86_64-linux-gnu/libc.so.6", "/lib64/ld-linux-x86-64.so.2", "/bin/bash", "/usr/bin/python3",
        "/usr/bin/git", "/usr/lib/x86_64-linux-gnu/libcrypto.so.3",
        "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", "/usr/lib/x86_64-linux-gnu/libsqlite3.so.0"}) {
    auto bytes = read_file(path);
    if (!bytes)
      continue;
    const auto start = std::clock(); // processor time: other work on the machine does not count
    const auto report = rewrite_elf(*bytes, named(path));
    const auto spent = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
    ASSERT_TRUE(report);
    std::printf("%-45s %9.1f MB/s, %zu sites\n", path, static_cast<double>(report->text_bytes) / spent / 1e6,
                report->sites.size());
    text += report->text_bytes;
    seconds += spent;
  }
  std::printf("all: %.1f MB of text, %.1f MB/s\n", static_cast<double>(text) / 1e6,
              static_cast<double>(text) / seconds / 1e6);
  RecordProperty("bytes_per_second", static_cast<int>(static_cast<double>(text) / seconds));
  // Processor time is not the same when others have the rest of the core: half of it then.
  EXPECT_GT(static_cast<double>(text) / seconds, 10e6) << "far too slow, even for a build with checks";
}

} // namespace
