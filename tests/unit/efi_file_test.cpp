// SPDX-License-Identifier: GPL-2.0-only
// Programs of UEFI, up to what can be seen without firmware. That they boot: tests/everywhere/run.
#include "machine/efi_file.hpp"
#include "sample_files.hpp"
#include "support/process.hpp"

#include <cstring>
#include <fmt/format.h>
#include <gmock/gmock.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class EfiFile : public FolderTest {
protected:
  void SetUp() override {
    FolderTest::SetUp();
    setenv("UKL_CACHE", at("cache").c_str(), 1);
    kernel_folder_ = at("cache") / "kernels" / "cloud-0123456789abcdef";
    fs::create_directories(kernel_folder_);
    ASSERT_TRUE(write_text(kernel_folder_ / "bzImage", "a kernel, compressed"));
    make_sample_kernel(at("vmlinux"));
    const auto kernel = read_kernel_elf(at("vmlinux"), kKernelSymbols);
    ASSERT_TRUE(kernel) << kernel.error().message;
    const Manifest manifest = {{"format", kImageFormat},       {"profile", "cloud"},
                               {"kernel", "0123456789abcdef"}, {"arg", "/bin/true"},
                               {"syscall", "59:masked"},       {"syscall", "1:shortcut"}};
    ASSERT_TRUE(write_image(at("image"), *kernel, manifest, {}, {'p', 'a', 'y', 'l', 'o', 'a', 'd'}));
    const auto info = read_image(at("image"));
    ASSERT_TRUE(info) << info.error().message;
    info_ = *info;
  }
  void TearDown() override {
    unsetenv("UKL_CACHE");
    FolderTest::TearDown();
  }

  Result<void> make(const std::string& parameters = "", const EfiSignature& signature = {}) {
    return make_efi_file(at("image"), info_, at("out.efi"), parameters, signature);
  }

  // What the result's table of sections says that a section holds (Microsoft's PE format, "Section Table").
  std::string section(const std::string& name) {
    const auto file = read_text(at("out.efi"));
    EXPECT_TRUE(file) << name;
    if (!file)
      return "";
    const auto number = [&](std::size_t offset, std::size_t size) {
      std::uint32_t value = 0;
      std::memcpy(&value, file->data() + offset, size);
      return std::size_t{value};
    };
    const auto header = number(0x3c, 4), table = header + 24 + number(header + 20, 2);
    for (std::size_t i = 0; i < number(header + 6, 2); ++i)
      if (const auto entry = table + 40 * i; file->substr(entry, 8).c_str() == name)
        return file->substr(number(entry + 20, 4), number(entry + 8, 4));
    return "no such section";
  }

  fs::path kernel_folder_;
  ImageInfo info_;
};

CallTable some_calls() {
  CallTable calls = {};
  calls[59] = CallKind::masked;
  calls[1] = CallKind::shortcut;
  return calls;
}

// Another reader of such archives finds the table in it.
TEST_F(EfiFile, CallsAreAnArchiveOfOneFile) {
  const auto calls = some_calls();
  const auto archive = calls_archive(calls);
  EXPECT_EQ(archive.size() % 4, 0u);
  EXPECT_LT(archive.size(), 1024u) << "the kernel looks no further";
  auto file = AtomicFile::create(at("archive"), 0600);
  ASSERT_TRUE(file && file->write(archive) && file->commit());
  const auto ran = run_command({"sh", "-c", "cd \"$1\" && busybox cpio -i < archive", "sh", at("").string()});
  ASSERT_TRUE(ran) << ran.error().message;
  EXPECT_EQ(ran->status, 0) << ran->text;
  const auto unpacked = read_file(at(UKL_CALLS_FILE));
  ASSERT_TRUE(unpacked) << unpacked.error().message;
  ASSERT_EQ(unpacked->size(), calls.size());
  EXPECT_EQ(std::memcmp(unpacked->data(), calls.data(), calls.size()), 0);
}

TEST_F(EfiFile, HasKernelParametersAndTree) {
  const auto made = make("ukl.env=A=b quiet");
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(section(".linux"), "a kernel, compressed");
  EXPECT_EQ(section(".cmdline"), "ukl.env=A=b quiet");
  const auto calls = calls_archive(some_calls());
  EXPECT_EQ(section(".initrd"), std::string(calls.begin(), calls.end()) + "payload");
  // Each lies on pages of its own, behind what the stub has.
  const auto bytes = read_file(at("out.efi"));
  ASSERT_TRUE(bytes);
  const auto end = end_of_sections(*bytes, "out.efi");
  const auto stub = read_file("/usr/lib/systemd/boot/efi/linuxx64.efi.stub");
  ASSERT_TRUE(end && stub);
  EXPECT_EQ(*end, *end_of_sections(*stub, "stub") + 3 * 4096);
}

TEST_F(EfiFile, IsSigned) {
  const auto keys = run_command({"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj",
                                 "/CN=own", "-keyout", at("key"), "-out", at("cert")});
  ASSERT_TRUE(keys && keys->status == 0);
  const auto made = make("", {at("key"), at("cert")});
  ASSERT_TRUE(made) << made.error().message;
  const auto checked = run_command({"sbverify", "--cert", at("cert"), at("out.efi")});
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(checked->status, 0) << checked->text;
  fs::remove(at("out.efi"));
  const auto refused = make("", {at("image"), at("cert")});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().failure, Failure::unreadable);
  EXPECT_FALSE(fs::exists(at("out.efi")));
}

TEST_F(EfiFile, KernelMustBeThereAndCompressed) {
  fs::remove(kernel_folder_ / "bzImage");
  auto made = make();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().failure, Failure::kernel_lacks);
  EXPECT_THAT(made.error().hint, HasSubstr("--profile cloud"));
  fs::remove_all(kernel_folder_);
  made = make();
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().failure, Failure::no_kernel);
  EXPECT_THAT(made.error().hint, HasSubstr("ukl kernel build --profile cloud"));
  made = make("a\nb");
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().failure, Failure::usage);
  EXPECT_FALSE(fs::exists(at("out.efi")));
}

TEST_F(EfiFile, OtherFilesAreNoStub) {
  for (const std::string& text :
       {std::string(), std::string(64, 'x'), std::string(0x3c, '\0') + "\xff\xff\xff\xff"}) {
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(text.data());
    EXPECT_FALSE(end_of_sections({bytes, text.size()}, "other"));
  }
  // A stub that is cut off within its list of sections.
  const auto stub = read_file("/usr/lib/systemd/boot/efi/linuxx64.efi.stub");
  ASSERT_TRUE(stub);
  EXPECT_FALSE(end_of_sections(std::span(*stub).first(0x200), "stub"));
}

} // namespace
} // namespace ukl
