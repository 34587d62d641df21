// SPDX-License-Identifier: GPL-2.0-only
#include "contents/compile.hpp"
#include "sample_files.hpp"

#include <cstdlib>

namespace ukl {
namespace {

namespace fs = std::filesystem;

using Arguments = std::vector<std::string>;

TEST(CompilerCall, ReadsOutputAndSources) {
  const auto call =
      read_compiler_call({"-I", "include", "a.c", "-o", "out", "-lz", "-O3", "-D", "X=1", "b.o"});
  EXPECT_EQ(call.output, "out");
  EXPECT_EQ(call.sources, (Arguments{"a.c", "b.o"}));
  EXPECT_EQ(call.arguments, (Arguments{"-I", "include", "a.c", "-lz", "-O3", "-D", "X=1", "b.o"}));
  EXPECT_TRUE(call.links);
  EXPECT_TRUE(call.optimises);
  EXPECT_EQ(read_compiler_call({"a.c", "-oout.ukl"}).output, "out.ukl");
  EXPECT_FALSE(read_compiler_call({"a.c"}).optimises);
  for (const char* option : {"-c", "-S", "-E", "-shared", "--version", "-print-search-dirs", "-dumpmachine"})
    EXPECT_FALSE(read_compiler_call({"a.c", option}).links) << option;
  EXPECT_EQ(read_compiler_call({"a.c", "-o"}).output, "");
}

class CompileTest : public FolderTest {};

TEST_F(CompileTest, MixesCAndCpp) {
  ASSERT_TRUE(write_text(at("a.c"), "int *restrict c_only; int a(void) { return 40; }\n"));
  ASSERT_TRUE(write_text(at("b.cpp"), "#include <string>\nextern \"C\" int a(void);\n"
                                      "int main() { return a() + int(std::string(\"xy\").size()); }\n"));
  const auto call = read_compiler_call({at("a.c"), at("b.cpp")});
  auto compiled = compile(call, at("program"), at("image"));
  ASSERT_TRUE(compiled) << compiled.error().message;
  EXPECT_EQ(run_command({at("program").string()})->status, 42);
}

TEST_F(CompileTest, MistakesInTheSource) {
  ASSERT_TRUE(write_text(at("a.c"), "int main(void) { return undeclared; }\n"));
  testing::internal::CaptureStderr();
  expect_error(compile(read_compiler_call({at("a.c")}), at("program"), at("image")), Failure::compile, "gcc");
  testing::internal::GetCapturedStderr();
  EXPECT_FALSE(fs::exists(at("program")));
}

TEST_F(CompileTest, CompilerIsMissing) {
  ASSERT_TRUE(write_text(at("a.c"), "int main(void) { return 0; }\n"));
  setenv("UKL_CC", "no-such-compiler", 1);
  expect_error(compile(read_compiler_call({at("a.c")}), at("program"), at("image")), Failure::missing_tool,
               "no-such-compiler");
  unsetenv("UKL_CC");
}

} // namespace
} // namespace ukl
