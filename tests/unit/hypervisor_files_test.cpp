// SPDX-License-Identifier: GPL-2.0-only
// The file for Xen's xl. The other formats: tests/boot/everywhere.boot.
#include "machine/hypervisor_files.hpp"
#include "sample_files.hpp"

#include <gmock/gmock.h>

namespace ukl {
namespace {

using testing::HasSubstr;

class HypervisorFiles : public FolderTest {};

TEST_F(HypervisorFiles, XenGetsADomain) {
  ASSERT_TRUE(write_text(at("a \"b\".ukl"), ""));
  ImageInfo info;
  info.xen = true;
  info.manifest = {{"hostname", "web"}};
  const auto file = hypervisor_file("xen", at("a \"b\".ukl"), info, 64 << 20, "ukl.env=A=\\b");
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_EQ(hypervisor_file_ending("xen"), "cfg");
  EXPECT_THAT(file->text, HasSubstr("name = \"web\"\ntype = \"pvh\"\n"));
  EXPECT_THAT(file->text, HasSubstr("/a \\\"b\\\".ukl\"\n"));
  EXPECT_THAT(file->text, HasSubstr("cmdline = \"console=hvc0 ukl.env=A=\\\\b\"\n"));
  EXPECT_THAT(file->text, HasSubstr("memory = 64\n"));
  EXPECT_EQ(file->command("web.cfg"), "xl create -c web.cfg");
}

// Never a file that cannot boot, and the sentence says what to do.
TEST_F(HypervisorFiles, XenNeedsAKernelThatSpeaksIt) {
  ASSERT_TRUE(write_text(at("image"), ""));
  ImageInfo info;
  info.manifest = {{"profile", "general"}};
  const auto file = hypervisor_file("xen", at("image"), info, 64 << 20, "");
  ASSERT_FALSE(file);
  EXPECT_EQ(file.error().failure, Failure::kernel_lacks);
  EXPECT_THAT(file.error().message, HasSubstr("(profile general)"));
  EXPECT_THAT(file.error().hint, HasSubstr("--profile cloud"));
  EXPECT_TRUE(hypervisor_file("libvirt", at("image"), info, 64 << 20, ""));
}

TEST_F(HypervisorFiles, ParametersAreOneLine) {
  ASSERT_TRUE(write_text(at("image"), ""));
  for (const char* format : {"firecracker", "cloud-hypervisor", "libvirt"}) {
    const auto file = hypervisor_file(format, at("image"), {}, 64 << 20, "a\nb");
    ASSERT_FALSE(file) << format;
    EXPECT_EQ(file.error().failure, Failure::usage);
  }
}

} // namespace
} // namespace ukl
