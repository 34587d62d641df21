// SPDX-License-Identifier: GPL-2.0-only
#include "elf/elf_files.hpp"
#include "image/kernel_elf.hpp"
#include "sample_files.hpp"

#include <elf.h>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

namespace ukl {
namespace {

constexpr const char* kMain = "int main(void) { return 0; }";

class ElfFileTest : public FolderTest {};

TEST_F(ElfFileTest, DynamicProgram) {
  compile_sample(at("program"), kMain);
  auto elf = read_elf(at("program"));
  ASSERT_TRUE(elf) << elf.error().message;
  EXPECT_EQ(elf->kind, ElfFile::Kind::shared);
  EXPECT_EQ(elf->interpreter, "/lib64/ld-linux-x86-64.so.2");
  EXPECT_EQ(elf->needed, std::vector<std::string>{"libc.so.6"});
  EXPECT_NE(elf->entry, 0u);
}

TEST_F(ElfFileTest, StaticProgram) {
  compile_sample(at("program"), kMain, {"-static"});
  auto elf = read_elf(at("program"));
  ASSERT_TRUE(elf) << elf.error().message;
  EXPECT_EQ(elf->kind, ElfFile::Kind::executable);
  EXPECT_EQ(elf->interpreter, "");
  EXPECT_TRUE(elf->needed.empty());
}

TEST_F(ElfFileTest, LibraryWithNamesAndFolders) {
  compile_sample(
      at("libx.so"), "int x(void) { return 1; }",
      {"-shared", "-fPIC", "-Wl,-soname,libx.so.3", "-Wl,--enable-new-dtags", "-Wl,-rpath,/a:$ORIGIN/b"});
  auto elf = read_elf(at("libx.so"));
  ASSERT_TRUE(elf) << elf.error().message;
  EXPECT_EQ(elf->soname, "libx.so.3");
  EXPECT_EQ(elf->runpath, (std::vector<std::string>{"/a", "$ORIGIN/b"}));
  EXPECT_TRUE(elf->rpath.empty());
  compile_sample(at("liby.so"), "int y(void) { return 1; }",
                 {"-shared", "-fPIC", "-Wl,--disable-new-dtags,-rpath,/a"});
  elf = read_elf(at("liby.so"));
  ASSERT_TRUE(elf) << elf.error().message;
  EXPECT_EQ(elf->rpath, std::vector<std::string>{"/a"});
  EXPECT_TRUE(elf->runpath.empty());
}

TEST_F(ElfFileTest, NotElf) {
  ASSERT_TRUE(write_text(at("text"), "hello\n"));
  ASSERT_TRUE(write_text(at("empty"), ""));
  expect_error(read_elf(at("text")), Failure::not_elf, "is not an ELF file");
  expect_error(read_elf(at("empty")), Failure::not_elf, "is not an ELF file");
}

TEST_F(ElfFileTest, ObjectFile) {
  compile_sample(at("object.o"), kMain, {"-c"});
  expect_error(read_elf(at("object.o")), Failure::not_elf, "object file");
}

TEST_F(ElfFileTest, ThirtyTwoBits) {
  compile_sample(at("program"), "void _start(void) {}",
                 {"-m32", "-nostdlib", "-static", "-no-pie", "-fno-pie"});
  expect_error(read_elf(at("program")), Failure::wrong_architecture, "32-bit ELF file (32-bit x86)");
}

TEST_F(ElfFileTest, AnotherMachine) {
  compile_sample(at("program"), kMain);
  auto bytes = read_file(at("program"));
  ASSERT_TRUE(bytes);
  (*bytes)[18] = EM_AARCH64;
  expect_error(parse_elf(*bytes, "program"), Failure::wrong_architecture, "64-bit Arm");
  (*bytes)[EI_DATA] = ELFDATA2MSB;
  expect_error(parse_elf(*bytes, "program"), Failure::wrong_architecture, "big-endian");
}

// Whatever length a file is cut to, it is an error or has all that loading needs.
TEST_F(ElfFileTest, TruncatedAnywhere) {
  compile_sample(at("program"), kMain);
  auto bytes = read_file(at("program"));
  auto whole = read_elf(at("program"));
  ASSERT_TRUE(bytes && whole);
  std::size_t errors = 0;
  for (std::size_t size = 0; size < bytes->size(); ++size) {
    // A copy of exactly this size, so that a tool like valgrind sees a read behind it.
    const Bytes cut(bytes->begin(), bytes->begin() + static_cast<std::ptrdiff_t>(size));
    auto elf = parse_elf(cut, "program");
    if (elf) {
      EXPECT_EQ(elf->needed, whole->needed);
      continue;
    }
    ++errors;
    EXPECT_EQ(elf.error().failure, Failure::not_elf);
    EXPECT_FALSE(elf.error().hint.empty());
  }
  EXPECT_GT(errors, bytes->size() / 2);
  bytes->resize(2000);
  expect_error(parse_elf(*bytes, "program"), Failure::not_elf, "damaged or truncated");
}

TEST_F(ElfFileTest, MissingOrUnreadable) {
  expect_error(read_elf(at("nothing")), Failure::not_found, "nothing");
  expect_error(read_elf(at("")), Failure::unreadable, "directory");
  ASSERT_TRUE(write_text(at("secret"), "x", 0000));
  // Root reads everything: be somebody else, in a process of its own.
  chmod(at("").c_str(), 0755);
  EXPECT_EXIT(
      {
        if (getuid() == 0 && setresuid(65534, 65534, 65534) != 0)
          _exit(99);
        auto elf = read_elf(at("secret"));
        _exit(elf ? 0 : static_cast<int>(elf.error().failure));
      },
      testing::ExitedWithCode(static_cast<int>(Failure::unreadable)), "");
}

using ElfFilesTest = FolderTest;

TEST_F(ElfFilesTest, OneFileIsReadOnceByWhateverName) {
  compile_sample(at("program"), kMain);
  std::filesystem::create_hard_link(at("program"), at("hard"));
  std::filesystem::create_symlink("program", at("soft"));
  compile_sample(at("other"), kMain);
  ElfFiles files;
  const auto file = files.find(at("program"));
  ASSERT_TRUE(file);
  EXPECT_EQ(file->bytes, *read_file(at("program")));
  EXPECT_EQ(file->view->bytes.data(), file->bytes.data());
  EXPECT_EQ(file->loading->needed, std::vector<std::string>{"libc.so.6"});
  EXPECT_EQ(files.find(at("hard")), file);
  EXPECT_EQ(files.find(at("soft")), file);
  EXPECT_NE(files.find(at("other")), file);
  // What is there is not looked at again.
  { std::ofstream(at("program")) << "no ELF file any more"; }
  EXPECT_EQ(files.find(at("soft")), file);
  EXPECT_TRUE(files.loading(at("program")));
}

TEST_F(ElfFilesTest, WhatIsNoneOrDamaged) {
  ASSERT_TRUE(write_text(at("text"), "hello"));
  ASSERT_TRUE(write_text(at("cut"), "\177ELF and no more"));
  ElfFiles files;
  EXPECT_FALSE(files.find(at("text")));
  EXPECT_FALSE(files.find(at("nothing")));
  EXPECT_FALSE(files.find(at("")));
  expect_error(files.loading(at("text")), Failure::not_elf, "is not an ELF file");
  expect_error(files.loading(at("nothing")), Failure::not_found, "nothing");
  ASSERT_TRUE(files.find(at("cut")));
  EXPECT_FALSE(files.find(at("cut"))->view);
  expect_error(files.loading(at("cut")), Failure::not_elf, "damaged or truncated");
}

// A kernel lies where no program may.
TEST_F(ElfFilesTest, KernelsAreReadByTheSameView) {
  make_sample_kernel(at("vmlinux"));
  const auto bytes = *read_file(at("vmlinux"));
  expect_error(rewrite::ElfView::parse(bytes, "vmlinux"), Failure::not_elf, "impossible size or address");
  EXPECT_TRUE(rewrite::ElfView::parse(bytes, "vmlinux", rewrite::kAllAddresses));
  const auto whole = parse_kernel_elf(bytes, "vmlinux", {"ukl_image_calls", "absent"});
  ASSERT_TRUE(whole) << whole.error().message;
  EXPECT_EQ(whole->symbols.size(), 1u);
  // Cut anywhere: an error, or all of it.
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    const Bytes cut(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(size));
    if (const auto kernel = parse_kernel_elf(cut, "vmlinux", {}))
      EXPECT_EQ(kernel->segments.size(), whole->segments.size());
    else
      EXPECT_EQ(kernel.error().failure, Failure::not_elf);
  }
}

} // namespace
} // namespace ukl
