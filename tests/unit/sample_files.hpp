// SPDX-License-Identifier: GPL-2.0-only
// Real ELF files for tests, made by the system's compiler while the test runs.
#pragma once

#include "image/kernel_elf.hpp"
#include "support/files.hpp"
#include "support/process.hpp"

#include <gtest/gtest.h>

namespace ukl {

/// Compiles C `source` to `output` with gcc and further options; the test fails if gcc does.
inline void compile_sample(const std::filesystem::path& output, const std::string& source,
                           const std::vector<std::string>& options = {}) {
  const auto file = output.string() + ".c";
  ASSERT_TRUE(write_text(file, source));
  std::vector<std::string> command = {"gcc", "-O1", file, "-o", output.string()};
  command.insert(command.end(), options.begin(), options.end());
  auto result = run_command(command);
  ASSERT_TRUE(result) << result.error().message;
  ASSERT_EQ(result->status, 0) << result->text;
  std::filesystem::remove(file);
}

/// A vmlinux in small: linked at the kernel's addresses, with the variables that images patch (`with_gate`:
/// and the gate's table), a PVH note, a .bss and symbols. It boots nowhere.
inline void make_sample_kernel(const std::filesystem::path& output, bool with_gate = true) {
  const auto script = output.string() + ".lds";
  ASSERT_TRUE(write_text(script, R"(
    PHDRS { text PT_LOAD; data PT_LOAD; note PT_NOTE; }
    ENTRY(phys_entry)
    SECTIONS {
      . = 0xffffffff81000000;
      phys_entry = . - 0xffffffff80000000;
      .text : AT(ADDR(.text) - 0xffffffff80000000) { *(.text*) *(.rodata*) } :text
      .notes : AT(ADDR(.notes) - 0xffffffff80000000) { *(.notes) } :text :note
      . = ALIGN(0x200000);
      .data : AT(ADDR(.data) - 0xffffffff80000000) { *(.data*) } :data
      .bss : AT(ADDR(.bss) - 0xffffffff80000000) { *(.bss*) }
      /DISCARD/ : { *(.eh_frame*) *(.comment) *(.note.*) }
    })"));
  std::string source = R"(
    unsigned long phys_initrd_start __attribute__((section(".data"))) = 1;
    unsigned long phys_initrd_size __attribute__((section(".data"))) = 2;
    unsigned char zeroes[12345];
    __attribute__((section(".notes"), used, aligned(4))) static const unsigned note[] = {4, 8, 18, 0x006e6558, 0x1000000, 0};
    void _start(void) { for (;;); }
  )";
  if (with_gate)
    source += "unsigned char ukl_image_calls[512] __attribute__((section(\".data\")));\n";
  compile_sample(output, source,
                 {"-nostdlib", "-static", "-no-pie", "-fno-pie", "-mcmodel=kernel", "-Wl,--build-id=none",
                  "-Wl,-z,max-page-size=4096", "-Wl,--no-warn-rwx-segments", "-T", script});
  std::filesystem::remove(script);
}

/// Checks that a result is this error, that its message is one line and that it says what to do.
template <typename T> void expect_error(const Result<T>& result, Failure failure, const std::string& part) {
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().failure, failure) << result.error().message;
  EXPECT_NE(result.error().message.find(part), std::string::npos) << result.error().message;
  EXPECT_EQ(result.error().message.find('\n'), std::string::npos) << result.error().message;
  EXPECT_FALSE(result.error().hint.empty()) << result.error().message;
}

/// A test with a temporary folder.
class FolderTest : public testing::Test {
protected:
  void SetUp() override {
    auto made = TemporaryFolder::create("ukl-test");
    ASSERT_TRUE(made) << made.error().message;
    folder_.emplace(std::move(*made));
  }
  std::filesystem::path at(const std::string& name) const { return folder_->path() / name; }

private:
  std::optional<TemporaryFolder> folder_;
};

} // namespace ukl
