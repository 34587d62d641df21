// SPDX-License-Identifier: GPL-2.0-only
#include "contents/program.hpp"
#include "sample_files.hpp"

namespace ukl {
namespace {

namespace fs = std::filesystem;

class ProgramTest : public FolderTest {
protected:
  ElfFiles elf_files_;
};

std::vector<std::string> interpreters(const std::string& text) {
  return script_interpreters({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()});
}

using Names = std::vector<std::string>;

TEST(ScriptInterpreters, AsLinuxReadsThem) {
  EXPECT_EQ(interpreters("#!/bin/sh\necho"), Names{"/bin/sh"});
  EXPECT_EQ(interpreters("#! /bin/sh -e\n"), Names{"/bin/sh"});
  EXPECT_EQ(interpreters("#!/bin/sh"), Names{"/bin/sh"});
  EXPECT_EQ(interpreters("#!/usr/bin/env python3\n"), (Names{"/usr/bin/env", "python3"}));
  EXPECT_EQ(interpreters("#!/usr/bin/env -S A=1 python3 -u\n"), (Names{"/usr/bin/env", "python3"}));
  EXPECT_EQ(interpreters("#!\n/bin/sh"), Names{});
  EXPECT_EQ(interpreters("# comment"), Names{});
  EXPECT_EQ(interpreters("#"), Names{});
  EXPECT_EQ(interpreters(""), Names{});
  EXPECT_EQ(interpreters("#!/" + std::string(1000, 'x'))[0].size(), 254u);
}

TEST_F(ProgramTest, BareNamesAreLookedUpAndOthersNot) {
  compile_sample(at("tool"), "int main(void) { return 0; }");
  auto found = find_program("tool", "/nowhere:" + at("").string(), elf_files_);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(found->path, at("tool"));
  EXPECT_FALSE(found->script);
  EXPECT_EQ(elf_files_.loading(found->path)->needed, Names{"libc.so.6"});
  expect_error(find_program("tool", "/nowhere", elf_files_), Failure::not_found, "no program tool in PATH");
  expect_error(find_program("./tool", at("").string(), elf_files_), Failure::not_found, "./tool");
  ASSERT_TRUE(write_text(at("data"), "not executable"));
  expect_error(find_program("data", at("").string(), elf_files_), Failure::not_found,
               "no program data in PATH");
}

TEST_F(ProgramTest, Scripts) {
  ASSERT_TRUE(write_text(at("script"), "#!/usr/bin/env cat\n", 0755));
  auto found = find_program(at("script").string(), "/usr/bin:/bin", elf_files_);
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_TRUE(found->script);
  EXPECT_EQ(found->interpreters, (std::vector<fs::path>{"/usr/bin/env", "/usr/bin/cat"}));
  ASSERT_TRUE(write_text(at("broken"), "#!/no/such/interpreter\n", 0755));
  expect_error(find_program(at("broken").string(), "", elf_files_), Failure::not_found,
               "/no/such/interpreter");
}

TEST_F(ProgramTest, WhatIsNoProgram) {
  ASSERT_TRUE(write_text(at("text"), "hello"));
  expect_error(find_program(at("text").string(), "", elf_files_), Failure::not_elf, "is not an ELF file");
  expect_error(find_program(at("").string(), "", elf_files_), Failure::unreadable, "directory");
  compile_sample(at("libx.so"), "int x;", {"-shared", "-nostdlib"});
  expect_error(find_program(at("libx.so").string(), "", elf_files_), Failure::not_elf,
               "shared library, not a program");
}

} // namespace
} // namespace ukl
