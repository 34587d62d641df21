// SPDX-License-Identifier: GPL-2.0-only
// Kernel builds with a source archive of three files and a `make` of ten lines in place of Linux and its own.
#include "kernel/build.hpp"
#include "kernel/cache.hpp"
#include "kernel/source.hpp"
#include "kernel/store.hpp"
#include "small_file_system.hpp"
#include "support/files.hpp"
#include "support/interrupt.hpp"
#include "support/process.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// Stands in for Linux's make. Called as `make -C TREE O=objects TARGETS…`; $FAKE_MAKE says how to misbehave.
constexpr const char* kFakeMake = R"(#!/bin/sh
cd "$2" && objects=${3#O=} && mkdir -p "$objects" && shift 3
echo "make $*" >> ../../make.calls
if [ "$1" = allnoconfig ]; then
  echo '# Linux/x86 6.1.0 Kernel Configuration' > $objects/.config
  grep -v "${FAKE_LOSES:-nothing at all}" "$KCONFIG_ALLCONFIG" >> $objects/.config
  exit 0
fi
[ "$FAKE_MAKE" = fail ] && { echo 'init/main.c:1: error: no'; exit 2; }
[ "$FAKE_MAKE" = full ] && { echo 'ld: final link failed: No space left on device'; exit 2; }
[ "$FAKE_MAKE" = slow ] && { touch $objects/started; sleep 60; }
mkdir -p $objects/init $objects/scripts
for file in main version; do
  [ -e $objects/init/$file.o ] && continue
  echo "  CC      init/$file.o"
  cat init/main.c > $objects/init/$file.o
done
echo '.debug_info 0 : { *(.debug_info) }' > $objects/init/script.lds
echo tool > $objects/scripts/tool.o
cp /bin/true $objects/vmlinux && cp $objects/vmlinux $objects/vmlinux.o
case "$*" in
*bzImage*) mkdir -p $objects/arch/x86/boot && echo compressed > $objects/arch/x86/boot/bzImage ;;
esac
echo "$KBUILD_BUILD_TIMESTAMP $KBUILD_BUILD_USER $KBUILD_BUILD_HOST" > $objects/System.map
)";

class KernelBuild : public testing::Test {
protected:
  void SetUp() override {
    auto created = TemporaryFolder::create("kernel_test");
    ASSERT_TRUE(created);
    folder_.emplace(std::move(*created));
    root = folder_->path();
    for (const char* name :
         {"cache", "bin", "kernel/profiles", "kernel/patches/6.1", "kernel/files/own", "linux/init"})
      fs::create_directories(root / name);
    write("linux/Makefile", "VERSION = 6\n");
    write("linux/init/main.c", "int main;\n");
    write("linux/kept.c", "int kept;\n");
    write("kernel/profiles/base.config", "# why\nCONFIG_A=y\nCONFIG_B=y\n");
    write("kernel/profiles/small.config", "# CONFIG_B is not set\nCONFIG_C=\"text\"\n");
    write("kernel/patches/6.1/0001-main.patch",
          "why\n--- a/init/main.c\n+++ b/init/main.c\n@@ -1 +1 @@\n-int main;\n+int ours;\n");
    write("kernel/files/own/new.c", "int own;\n");
    write("bin/make", kFakeMake);
    fs::permissions(root / "bin/make", fs::perms::all);
    fs::last_write_time(root / "linux/Makefile", fs::file_time_type::clock::now());
    ASSERT_EQ(std::system(("tar -C " + root.string() + " -caf " + archive().string() + " linux").c_str()), 0);
    old_path_ = std::getenv("PATH");
    setenv("PATH", ((root / "bin").string() + ":" + old_path_).c_str(), 1);
    setenv("UKL_CACHE", (root / "cache").c_str(), 1);
    setenv("UKL_HOME", root.c_str(), 1);
    setenv("UKL_LINUX_SOURCE", archive().c_str(), 1);
  }
  void TearDown() override {
    setenv("PATH", old_path_.c_str(), 1);
    for (const char* name : {"UKL_CACHE", "UKL_HOME", "UKL_LINUX_SOURCE", "FAKE_MAKE", "FAKE_LOSES"})
      unsetenv(name);
    clear_interrupt();
  }

  fs::path archive() const { return root / "linux-source-6.1.tar.xz"; }
  void write(const fs::path& name, const std::string& text) { ASSERT_TRUE(write_text(root / name, text)); }
  std::string text(const fs::path& path) {
    auto content = read_text(path);
    return content ? *content : "cannot read: " + content.error().message;
  }
  KernelInputs inputs(bool unpatched = false) {
    auto result = kernel_inputs("small", unpatched);
    EXPECT_TRUE(result);
    return *result;
  }
  Result<Kernel> build(KernelBuildOptions options = {}) { return build_kernel(inputs(), options); }
  fs::path tree() { return root / "cache/build" / ("small-" + inputs().hash); }
  std::string make_calls() { return text(root / "cache/make.calls"); }

  fs::path root;

private:
  std::optional<TemporaryFolder> folder_;
  std::string old_path_;
};

TEST_F(KernelBuild, AppliesPatchesAndFilesAndStoresTheResult) {
  auto kernel = build({.jobs = 1, .keep = true});
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(text(tree() / "init/main.c"), "int ours;\n");
  EXPECT_EQ(text(tree() / "own/new.c"), "int own;\n");
  EXPECT_EQ(text(tree() / "kept.c"), "int kept;\n");
  EXPECT_TRUE(fs::exists(kernel->vmlinux));
  EXPECT_THAT(text(kernel->config), HasSubstr("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=\"text\"\n"));
  EXPECT_THAT(text(kernel->system_map), testing::EndsWith(" ukl ukl\n"));
  const std::string object = sha256_hex(*read_file(tree() / "objects/init/main.o"));
  EXPECT_EQ(text(kernel->vmlinux.parent_path() / "objects.sha256"),
            object + "  init/main.o\n" + sha256_hex(*read_file(tree() / "objects/init/script.lds")) +
                "  init/script.lds\n" + object + "  init/version.o\n");
}

// Library code prints nothing: it tells whoever called it.
class RecordingReporter : public Reporter {
public:
  void note(const std::string& text) override { told.push_back(text); }
  std::unique_ptr<Progress> progress(std::string label, std::uint64_t) override {
    told.push_back(std::move(label));
    return silent_reporter().progress("", 0);
  }
  std::vector<std::string> told;
};

TEST_F(KernelBuild, TellsItsReporterAndNobodyElse) {
  RecordingReporter reporter;
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  const auto kernel = build_kernel(inputs(), {}, reporter);
  const auto output = testing::internal::GetCapturedStdout() + testing::internal::GetCapturedStderr();
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(output, "");
  EXPECT_THAT(reporter.told, testing::ElementsAre(HasSubstr("unpacking Linux"), "compiling kernel small"));
}

TEST_F(KernelBuild, LeavesTheSharedSourceAsItWas) {
  ASSERT_TRUE(build());
  auto source = unpacked_source(inputs());
  ASSERT_TRUE(source);
  EXPECT_EQ(text(*source / "init/main.c"), "int main;\n");
  EXPECT_FALSE(fs::exists(*source / "own"));
}

TEST_F(KernelBuild, FilesOfOursReplaceLinuxFilesOnlyInTheBuildTree) {
  write("kernel/files/kept.c", "int replaced;\n");
  ASSERT_TRUE(build({.jobs = 1, .keep = true}));
  EXPECT_EQ(text(tree() / "kept.c"), "int replaced;\n");
  EXPECT_EQ(text(*unpacked_source(inputs()) / "kept.c"), "int kept;\n");
}

TEST_F(KernelBuild, RemovesTheBuildTreeAndBuildsOnlyOnce) {
  ASSERT_TRUE(build());
  EXPECT_FALSE(fs::exists(tree()));
  ASSERT_TRUE(build());
  EXPECT_EQ(make_calls(), "make allnoconfig KCFLAGS=-O3 cmd_strip_relocs=:\nmake -j" +
                              std::to_string(std::thread::hardware_concurrency()) +
                              " vmlinux KCFLAGS=-O3 cmd_strip_relocs=:\n");
  EXPECT_TRUE(find_kernel("small"));
}

TEST_F(KernelBuild, KernelThatUefiStartsIsKeptCompressedToo) {
  auto kernel = build();
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_FALSE(fs::exists(bz_image_in(kernel->vmlinux.parent_path())));
  write("kernel/profiles/small.config", "CONFIG_EFI_STUB=y\n");
  kernel = build();
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(text(bz_image_in(kernel->vmlinux.parent_path())), "compressed\n");
  EXPECT_TRUE(fs::exists(kernel->vmlinux));
}

TEST_F(KernelBuild, UnpatchedIsAnotherKernelFromTheSourceAsItIs) {
  auto kernel = build_kernel(inputs(true), {.jobs = 1, .keep = true});
  ASSERT_TRUE(kernel);
  EXPECT_NE(kernel->hash, inputs().hash);
  EXPECT_EQ(text(root / "cache/build" / ("small-" + kernel->hash) / "init/main.c"), "int main;\n");
  EXPECT_FALSE(find_kernel("small"));
}

TEST_F(KernelBuild, WorksWithoutPatchesAndFiles) {
  fs::remove(root / "kernel/patches/6.1/0001-main.patch");
  fs::remove_all(root / "kernel/files");
  EXPECT_TRUE(build());
  EXPECT_EQ(inputs().hash, inputs(true).hash);
}

TEST_F(KernelBuild, EveryInputChangesTheHash) {
  std::vector<std::string> hashes = {inputs().hash};
  EXPECT_EQ(hashes[0].size(), 16u);
  for (const auto& [file, content] : {std::pair("kernel/patches/6.1/0002-more.patch", "more"),
                                      {"kernel/files/own/new.c", "int other;\n"},
                                      {"kernel/files/own/renamed.c", "int other;\n"},
                                      {"kernel/profiles/base.config", "CONFIG_D=y\n"},
                                      {"linux-source-6.1.tar.xz", "another"}}) {
    write(file, content);
    hashes.push_back(inputs().hash);
  }
  std::ranges::sort(hashes);
  EXPECT_EQ(std::ranges::unique(hashes).size(), 0u);
}

// `# include NAME` stands for what the other profile has, and what comes later goes over it.
TEST_F(KernelBuild, AProfileMayBeginWithAnother) {
  write("kernel/profiles/smaller.config",
        "# include small.config\n# CONFIG_A is not set\nCONFIG_C=\"other\"\n");
  const auto merged = merged_configuration("smaller");
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(*merged, "# CONFIG_A is not set\n# CONFIG_B is not set\nCONFIG_C=\"other\"\n");
  write("kernel/profiles/broken.config", "# include nothing.config\n");
  EXPECT_FALSE(merged_configuration("broken"));
}

// A release has patches and names of settings of its own, and its kernels stand beside those of the default
// one.
TEST_F(KernelBuild, AnotherReleaseIsAnotherKernelOfTheProfile) {
  fs::create_directories(root / "kernel/patches/6.12");
  write("kernel/patches/6.12/settings",
        "# why\nCONFIG_A=y -> # CONFIG_NOT_A is not set\nCONFIG_C=\"text\" ->\n");
  EXPECT_THAT(kernel_releases(), ElementsAre("6.1", "6.12"));
  const auto merged = merged_configuration("small@6.12");
  ASSERT_TRUE(merged) << merged.error().message;
  EXPECT_EQ(*merged, "# CONFIG_NOT_A is not set\n# CONFIG_B is not set\n");
  const auto newer = kernel_inputs("small@6.12");
  ASSERT_TRUE(newer) << newer.error().message;
  EXPECT_TRUE(newer->patches.empty());
  const auto kernel = build_kernel(*newer, {});
  ASSERT_TRUE(kernel) << kernel.error().message;
  EXPECT_EQ(kernel->profile, "small@6.12");
  EXPECT_TRUE(find_kernel("small@6.12"));
  EXPECT_FALSE(find_kernel("small"));
  EXPECT_TRUE(build());
  EXPECT_EQ(profile_name("small", "6.1"), "small");
  EXPECT_EQ(find_kernel("small@6.1")->profile, "small");
  EXPECT_THAT(merged_configuration("small@6.13").error().hint, HasSubstr("6.1, 6.12"));
  // Both are wanted.
  const auto removed = clean_kernels(false);
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_TRUE(removed->empty());
}

TEST_F(KernelBuild, MakeIsToldWhatTheProfileNeeds) {
  EXPECT_THAT(make_settings("CONFIG_A=y\n"), ElementsAre("KCFLAGS=-O3", "cmd_strip_relocs=:"));
  EXPECT_THAT(make_settings("CONFIG_CC_OPTIMIZE_FOR_SIZE=y\nCONFIG_UKL=y\nCONFIG_UKL_DENSE=y\n"),
              ElementsAre(testing::StartsWith("KCFLAGS=-mstring"), "cmd_strip_relocs=:",
                          HasSubstr("ukl_virtio_mmio.h"), "KBUILD_LDS=arch/x86/ukl/vmlinux.lds"));
}

TEST_F(KernelBuild, CommentsInTheConfigurationDoNotChangeTheHash) {
  const auto before = inputs().hash;
  write("kernel/profiles/base.config", "# other words\n\nCONFIG_A=y\nCONFIG_B=y\n");
  EXPECT_EQ(inputs().hash, before);
}

TEST_F(KernelBuild, NamesSettingsThatLinuxDidNotTake) {
  setenv("FAKE_LOSES", "CONFIG_C", 1);
  auto kernel = build();
  ASSERT_FALSE(kernel);
  EXPECT_EQ(kernel.error().failure, Failure::kernel_build);
  EXPECT_THAT(kernel.error().message, HasSubstr("CONFIG_C=\"text\""));
  unsetenv("FAKE_LOSES");
  EXPECT_TRUE(build());
}

TEST_F(KernelBuild, LostSettingsAreThoseThatDiffer) {
  EXPECT_THAT(
      lost_settings("CONFIG_A=y\nCONFIG_B=y\n# CONFIG_C is not set\n# CONFIG_D is not set\nCONFIG_E=1\n",
                    "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=m\nCONFIG_D_OTHER=y\nCONFIG_E=2\n"),
      ElementsAre("CONFIG_B=y", "# CONFIG_C is not set", "CONFIG_E=1"));
}

TEST_F(KernelBuild, AFailureShowsTheEndOfTheLogAndGoesOnLater) {
  setenv("FAKE_MAKE", "fail", 1);
  auto kernel = build();
  ASSERT_FALSE(kernel);
  EXPECT_EQ(kernel.error().failure, Failure::kernel_build);
  EXPECT_THAT(kernel.error().message, HasSubstr("init/main.c:1: error: no"));
  EXPECT_THAT(kernel.error().hint, HasSubstr(tree().string() + ".log"));
  EXPECT_TRUE(cached_kernels().empty());
  unsetenv("FAKE_MAKE");
  ASSERT_TRUE(build({.jobs = 3, .keep = false}));
  // Configured once: the second build went on with the first one's tree.
  EXPECT_THAT(
      make_calls(),
      testing::MatchesRegex("make allnoconfig KCFLAGS=-O3 cmd_strip_relocs=:\nmake -j. vmlinux KCFLAGS=-O3 "
                            "cmd_strip_relocs=:\nmake -j3 vmlinux KCFLAGS=-O3 cmd_strip_relocs=:\n"));
}

TEST_F(KernelBuild, AFullDiskIsSaidToBeOne) {
  setenv("FAKE_MAKE", "full", 1);
  auto kernel = build();
  ASSERT_FALSE(kernel);
  EXPECT_EQ(kernel.error().failure, Failure::disk_full);
}

TEST_F(KernelBuild, CtrlCStopsMakeAndTheNextBuildGoesOn) {
  setenv("FAKE_MAKE", "slow", 1);
  const auto kept = tree();
  std::thread user([&kept] {
    while (!fs::exists(kept / "objects/started"))
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    kill(getpid(), SIGINT);
  });
  const auto begin = std::chrono::steady_clock::now();
  auto kernel = build();
  user.join();
  ASSERT_FALSE(kernel);
  EXPECT_EQ(kernel.error().failure, Failure::interrupted);
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  EXPECT_TRUE(fs::exists(kept));
  clear_interrupt();
  unsetenv("FAKE_MAKE");
  EXPECT_TRUE(build());
}

TEST_F(KernelBuild, AStoppedUnpackStartsOver) {
  const auto source = unpacked_source(inputs());
  ASSERT_TRUE(source);
  fs::rename(*source, source->string() + ".new");
  fs::remove(source->string() + ".new/kept.c");
  ASSERT_TRUE(unpacked_source(inputs()));
  EXPECT_TRUE(fs::exists(*source / "kept.c"));
  EXPECT_FALSE(fs::exists(source->string() + ".new"));
}

TEST_F(KernelBuild, ADamagedArchiveLeavesNothingBehind) {
  auto bytes = read_file(archive());
  ASSERT_TRUE(bytes);
  write("linux-source-6.1.tar.xz", std::string(bytes->begin(), bytes->begin() + 200));
  auto source = unpacked_source(inputs());
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().failure, Failure::unreadable);
  for (const auto& entry : fs::directory_iterator(root / "cache/source"))
    EXPECT_FALSE(entry.is_directory());
}

TEST_F(KernelBuild, AFullDiskLeavesNoHalfSource) {
  write("linux/big", std::string(4000000, 'x'));
  ASSERT_EQ(std::system(("tar -C " + root.string() + " -caf " + archive().string() + " linux").c_str()), 0);
  const auto described = inputs();
  const int cannot_mount = 77;
  const auto child = [&] {
    if (const auto problem = test::mount_small(root / "cache"); !problem.empty()) {
      std::perror(problem.c_str());
      return cannot_mount;
    }
    auto source = unpacked_source(described);
    for (const auto& entry : fs::directory_iterator(root / "cache/source"))
      if (entry.is_directory())
        return 1;
    return source ? 0 : static_cast<int>(source.error().failure);
  };
  // In a process of its own: a mount name space is for good.
  const pid_t pid = fork();
  if (pid == 0)
    _exit(child());
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  if (WEXITSTATUS(status) == cannot_mount)
    GTEST_SKIP() << "this user may not mount a small file system (see above)";
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(Failure::disk_full));
}

TEST_F(KernelBuild, APatchThatDoesNotApplyIsNamed) {
  write("kernel/patches/6.1/0002-bad.patch",
        "--- a/kept.c\n+++ b/kept.c\n@@ -1 +1 @@\n-int other;\n+int x;\n");
  auto kernel = build();
  ASSERT_FALSE(kernel);
  EXPECT_EQ(kernel.error().failure, Failure::kernel_build);
  EXPECT_THAT(kernel.error().message, HasSubstr("0002-bad.patch does not apply"));
  EXPECT_FALSE(fs::exists(tree()));
}

TEST_F(KernelBuild, WithoutTheSourceItSaysHowToInstallIt) {
  setenv("UKL_LINUX_SOURCE", "/nonexistent/linux-source-*.tar.xz", 1);
  auto kernel = build();
  ASSERT_FALSE(kernel);
  EXPECT_EQ(kernel.error().failure, Failure::missing_tool);
  EXPECT_EQ(kernel.error().hint, "sudo apt-get install linux-source-6.1");
}

TEST_F(KernelBuild, WhoOnlyPacksNeedsNeitherSourceNorCompiler) {
  ASSERT_TRUE(build());
  setenv("UKL_LINUX_SOURCE", "/nonexistent", 1);
  EXPECT_TRUE(find_kernel("small"));
  write("kernel/files/own/new.c", "int changed;\n");
  auto changed = find_kernel("small");
  ASSERT_FALSE(changed);
  EXPECT_EQ(changed.error().failure, Failure::no_kernel);
  EXPECT_EQ(changed.error().hint, "ukl kernel build --profile small");
}

TEST_F(KernelBuild, AnUnknownProfileIsNamedWithTheKnownOnes) {
  auto kernel = find_kernel("large");
  ASSERT_FALSE(kernel);
  EXPECT_EQ(kernel.error().failure, Failure::usage);
  EXPECT_THAT(kernel.error().hint, HasSubstr("small"));
}

TEST_F(KernelBuild, CleanRemovesWhatIsOld) {
  auto old = build({.jobs = 1, .keep = true});
  ASSERT_TRUE(old);
  const auto old_tree = tree();
  write("kernel/files/own/new.c", "int changed;\n");
  auto present = build();
  ASSERT_TRUE(present);
  ASSERT_TRUE(clean_kernels(false));
  EXPECT_FALSE(fs::exists(old->vmlinux));
  EXPECT_FALSE(fs::exists(old_tree));
  EXPECT_TRUE(fs::exists(present->vmlinux));
  ASSERT_TRUE(clean_kernels(true));
  EXPECT_TRUE(cached_kernels().empty());
  EXPECT_TRUE(fs::is_empty(root / "cache/source"));
}

TEST_F(KernelBuild, TwoBuildsOfTheSameKernelAreOne) {
  const KernelInputs same = inputs();
  std::optional<Result<Kernel>> first, second;
  std::thread one([&] { first.emplace(build_kernel(same, {.jobs = 1, .keep = false})); });
  std::thread two([&] { second.emplace(build_kernel(same, {.jobs = 1, .keep = false})); });
  one.join();
  two.join();
  EXPECT_TRUE(*first);
  EXPECT_TRUE(*second);
  EXPECT_EQ(
      make_calls(),
      "make allnoconfig KCFLAGS=-O3 cmd_strip_relocs=:\nmake -j1 vmlinux KCFLAGS=-O3 cmd_strip_relocs=:\n");
}

} // namespace
} // namespace ukl
