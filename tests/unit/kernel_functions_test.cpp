// SPDX-License-Identifier: GPL-2.0-only
#include "image/kernel_functions.hpp"
#include "support/process.hpp"
#include "ukl/kernel.hpp"

#include <cstring>
#include <gtest/gtest.h>

namespace ukl {
namespace {

// A stand-in for a kernel: any ELF file linked to run at a fixed address, with the symbols that are looked
// up.
Result<std::filesystem::path> compile(const TemporaryFolder& folder, const std::string& name,
                                      const std::string& source, const std::vector<std::string>& options) {
  if (auto written = write_text(folder.path() / (name + ".cpp"), source); !written)
    return written.error();
  std::vector<std::string> command = {"g++",
                                      "-std=c++20",
                                      "-I",
                                      std::string(UKL_SOURCE_DIR) + "/include",
                                      "-o",
                                      (folder.path() / name).string(),
                                      (folder.path() / (name + ".cpp")).string()};
  command.insert(command.end(), options.begin(), options.end());
  auto output = run_command(command);
  if (!output)
    return output.error();
  if (output->status != 0)
    return Error{Failure::compile, output->text, ""};
  return folder.path() / name;
}

const char* const kKernel = "extern \"C\" { void _text() {} void known() {} } int main() {}";

Result<std::shared_ptr<ElfContents>> program_calling(const TemporaryFolder& folder,
                                                     const std::string& function) {
  auto path = compile(folder, "program",
                      "#include <ukl/kernel.hpp>\nUKL_KERNEL_FUNCTION(long, " + function +
                          ", int);\nint main() { return static_cast<int>(" + function + "(1)); }",
                      {});
  if (!path)
    return path.error();
  return ElfFiles().find(*path);
}

TEST(KernelFunctions, AreStoredAsOffsetsFromText) {
  auto folder = TemporaryFolder::create("kernel_functions_test");
  ASSERT_TRUE(folder);
  auto kernel = compile(*folder, "kernel", kKernel, {"-no-pie"});
  ASSERT_TRUE(kernel) << kernel.error().message;
  auto program = program_calling(*folder, "known");
  ASSERT_TRUE(program) << program.error().message;
  const Bytes before = (*program)->bytes;
  auto linked = link_kernel_functions(**program, "program", *kernel);
  ASSERT_TRUE(linked) << linked.error().message;
  ASSERT_EQ((*program)->bytes.size(), before.size());
  EXPECT_NE((*program)->bytes, before);
}

TEST(KernelFunctions, ThatTheKernelLacksAreNamed) {
  auto folder = TemporaryFolder::create("kernel_functions_test");
  ASSERT_TRUE(folder);
  auto kernel = compile(*folder, "kernel", kKernel, {"-no-pie"});
  ASSERT_TRUE(kernel);
  auto program = program_calling(*folder, "unknown_to_it");
  ASSERT_TRUE(program);
  auto linked = link_kernel_functions(**program, "program", *kernel);
  ASSERT_FALSE(linked);
  EXPECT_EQ(linked.error().failure, Failure::missing_symbol);
  EXPECT_NE(linked.error().message.find("unknown_to_it"), std::string::npos);
}

TEST(KernelFunctions, RefuseRawPointersAtCompileTime) {
  auto folder = TemporaryFolder::create("kernel_functions_test");
  ASSERT_TRUE(folder);
  auto program = compile(*folder, "program",
                         "#include <ukl/kernel.hpp>\nUKL_KERNEL_FUNCTION(void, kfree, char*);\n"
                         "int main() { char byte; kfree(&byte); }",
                         {});
  ASSERT_FALSE(program);
  EXPECT_NE(program.error().message.find("ukl::Pinned"), std::string::npos) << program.error().message;
}

TEST(KernelFunctions, EndAProgramOutsideOfAnImageWithAMessage) {
  auto folder = TemporaryFolder::create("kernel_functions_test");
  ASSERT_TRUE(folder);
  ASSERT_TRUE(program_calling(*folder, "known"));
  auto output = run_command({(folder->path() / "program").string()});
  ASSERT_TRUE(output);
  EXPECT_EQ(output->status, 126);
  EXPECT_NE(output->text.find("ukl pack"), std::string::npos);
}

} // namespace
} // namespace ukl
