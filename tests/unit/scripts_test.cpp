// SPDX-License-Identifier: GPL-2.0-only
// The scripts that judge the kernel part must be able to say no.
#include "support/files.hpp"
#include "support/process.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Scripts : public testing::Test {
protected:
  void SetUp() override {
    auto created = TemporaryFolder::create("scripts_test");
    ASSERT_TRUE(created);
    folder_.emplace(std::move(*created));
    root = folder_->path();
  }
  void write(const fs::path& name, const std::string& text) {
    fs::create_directories((root / name).parent_path());
    ASSERT_TRUE(write_text(root / name, text));
  }
  Output run(std::vector<std::string> command) {
    command[0] = std::string(UKL_SOURCE_DIR "/scripts/") + command[0];
    command.insert(command.begin(), {"env", "OPTION_OFF_AT_LEAST=3"});
    auto output = run_command(command);
    EXPECT_TRUE(output);
    return *output;
  }

  fs::path root;

private:
  std::optional<TemporaryFolder> folder_;
};

class OptionOff : public Scripts {
protected:
  // Two kernels as alike as they have to be.
  void SetUp() override {
    Scripts::SetUp();
    for (const std::string name : {"patched", "unpatched"}) {
      const bool ours = name == "patched";
      write(name + "/inputs", "profile classic\npatches " + name + "\nfiles " + name + "\nsource 5eed\n");
      write(name + "/config", std::string("CONFIG_A=y\n") + (ours ? "# CONFIG_UKL is not set\n" : ""));
      write(name + "/objects.sha256",
            "aa  init/main.o\nbb  mm/mmap.o\n" + std::string(ours ? "c0" : "cc") + "  kernel/configs.o\n");
    }
  }
  Output check() {
    return run({"check-option-off", (root / "patched").string(), (root / "unpatched").string()});
  }
};

TEST_F(OptionOff, IsContentWithIdenticalObjects) {
  const auto output = check();
  EXPECT_EQ(output.status, 0) << output.text;
  EXPECT_THAT(output.text,
              HasSubstr("3 object files and linker scripts compared, 2 identical, 1 explained, 0 different"));
}

TEST_F(OptionOff, NamesAnObjectThatDiffers) {
  write("patched/objects.sha256", "aa  init/main.o\nb0  mm/mmap.o\nc0  kernel/configs.o\n");
  const auto output = check();
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.text, HasSubstr("mm/mmap.o differs"));
}

TEST_F(OptionOff, NamesAnObjectThatOnlyOneHas) {
  write("patched/objects.sha256",
        "aa  init/main.o\nbb  mm/mmap.o\nc0  kernel/configs.o\nd0  arch/x86/ukl/entry.o\n");
  const auto output = check();
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.text, HasSubstr("only one of the kernels has arch/x86/ukl/entry.o"));
}

TEST_F(OptionOff, AllowsNoSettingButOurs) {
  write("patched/config", "CONFIG_A=y\nCONFIG_B=y\n");
  const auto output = check();
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.text, HasSubstr("CONFIG_B=y"));
}

TEST_F(OptionOff, ExcusesConfigsOnlyIfTheConfigurationDiffers) {
  write("patched/config", "CONFIG_A=y\n");
  const auto output = check();
  EXPECT_EQ(output.status, 1);
  EXPECT_THAT(output.text, HasSubstr("kernel/configs.o differs"));
}

TEST_F(OptionOff, ComparesOnlyWhatWasBuiltAlike) {
  write("patched/inputs", "profile classic\npatches p\nfiles f\nsource other\n");
  EXPECT_EQ(check().status, 1);
}

TEST_F(OptionOff, DoesNotTakeNothingForSuccess) {
  for (const char* name : {"patched", "unpatched"})
    write(std::string(name) + "/objects.sha256", "");
  EXPECT_EQ(check().status, 1);
}

TEST_F(Scripts, PatchSizeCountsPairsAsChanged) {
  // The second hunk removes a line "-- x", which looks like a file header.
  write("a.patch",
        "--- a/kernel/fork.c\n+++ b/kernel/fork.c\n@@ -1,3 +1,4 @@\n same\n-old\n+new\n+more\n same\n"
        "@@ -9,3 +10,2 @@\n same\n--- x\n same\n--- a/mm/mmap.c\n+++ b/mm/mmap.c\n@@ -1 +1,2 @@\n "
        "same\n+new\n");
  const auto output = run({"patch-size", "-v", "LIMIT=4", (root / "a.patch").string()});
  EXPECT_EQ(output.status, 0) << output.text;
  EXPECT_THAT(output.text, HasSubstr("     1        1        1  kernel/fork.c\n"));
  EXPECT_THAT(output.text, HasSubstr("     1        0        0  mm/mmap.c\n"));
  EXPECT_THAT(output.text, HasSubstr("in 2 files; 4 lines in all"));
  EXPECT_EQ(run({"patch-size", "-v", "LIMIT=3", (root / "a.patch").string()}).status, 1);
}

TEST_F(Scripts, PatchSizeRefusesNewFiles) {
  write("a.patch", "--- /dev/null\n+++ b/kernel/ours.c\n@@ -0,0 +1 @@\n+line\n");
  EXPECT_EQ(run({"patch-size", (root / "a.patch").string()}).status, 1);
}

TEST_F(Scripts, SourceSizeTellsCodeFromComment) {
  write(
      "a.c",
      "// one\n/* two\n * three\n */ int code; /* and comment */\n\n#include <code.h>\nint more; // code\n");
  write("Makefile", "# one\nobj-y += a.o # code\n");
  const auto output = run({"source-size", (root / "a.c").string(), (root / "Makefile").string()});
  EXPECT_THAT(output.text, HasSubstr("     3        3  " + (root / "a.c").string()));
  EXPECT_THAT(output.text, HasSubstr("     1        1  " + (root / "Makefile").string()));
}

} // namespace
} // namespace ukl
