// SPDX-License-Identifier: GPL-2.0-only
#include "contents/libraries.hpp"
#include "sample_files.hpp"

#include <algorithm>

namespace ukl {
namespace {

namespace fs = std::filesystem;

class LibrariesTest : public FolderTest {
protected:
  // A library lib<name>.so.1 in `folder` that needs others of the same folder.
  void make_library(const std::string& folder, const std::string& name,
                    const std::vector<std::string>& needs = {}, std::vector<std::string> options = {}) {
    fs::create_directories(at(folder));
    options.insert(options.end(), {"-shared", "-fPIC", "-nostdlib", "-Wl,--no-as-needed",
                                   "-Wl,-soname,lib" + name + ".so.1"});
    for (const auto& need : needs)
      options.push_back(need);
    compile_sample(at(folder) / ("lib" + name + ".so.1"), "int " + name + "(void) { return 1; }", options);
  }

  Result<std::vector<Library>> find(const std::string& program) {
    return find_libraries(at(program), folders_);
  }

  static std::vector<std::string> names(const std::vector<Library>& libraries) {
    std::vector<std::string> all;
    for (const auto& library : libraries)
      all.push_back(library.name);
    return all;
  }

  SearchFolders folders_ = glibc_folders();
};

constexpr const char* kMain = "int main(void) { return 0; }";

TEST_F(LibrariesTest, DynamicProgramGetsLoaderLibcAndTheUnwinder) {
  compile_sample(at("program"), kMain);
  auto found = find("program");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(names(*found), (std::vector<std::string>{"ld-linux-x86-64.so.2", "libc.so.6", "libgcc_s.so.1"}));
  EXPECT_EQ((*found)[0].path, "/lib64/ld-linux-x86-64.so.2");
  for (const auto& library : *found)
    EXPECT_TRUE(fs::exists(library.path));
}

TEST_F(LibrariesTest, StaticProgramGetsNothing) {
  compile_sample(at("program"), kMain, {"-static"});
  auto found = find("program");
  ASSERT_TRUE(found);
  EXPECT_TRUE(found->empty());
}

// The closure is what the real loader loads.
TEST_F(LibrariesTest, AgreesWithTheDynamicLoader) {
  const auto program = fs::path("/usr/bin/cmake");
  auto found = find_libraries(program, glibc_folders());
  ASSERT_TRUE(found) << found.error().message;
  auto loader = run_command({"/lib64/ld-linux-x86-64.so.2", "--list", program.string()});
  ASSERT_TRUE(loader);
  std::size_t listed = 0;
  for (const auto& library : *found) {
    const auto line = loader->text.find(library.name);
    // pthread_cancel's library is not loaded at start, unless the program needs it itself.
    if (library.name == "libgcc_s.so.1" && line == std::string::npos)
      continue;
    ++listed;
    EXPECT_NE(line, std::string::npos) << library.name;
    EXPECT_NE(loader->text.find(library.path.parent_path().string() + "/"), std::string::npos)
        << library.path;
  }
  // Every line of the loader but the vDSO's is a library.
  EXPECT_EQ(listed + 1, static_cast<std::size_t>(std::ranges::count(loader->text, '\n'))) << loader->text;
}

TEST_F(LibrariesTest, RunpathWithOriginServesOnlyTheFileThatHasIt) {
  make_library("lib", "inner");
  make_library("lib", "outer", {at("lib/libinner.so.1")});
  compile_sample(at("program"), kMain,
                 {"-Wl,--no-as-needed", at("lib/libouter.so.1"),
                  "-Wl,--enable-new-dtags,-rpath,${ORIGIN}/lib", "-Wl,--allow-shlib-undefined",
                  "-Wl,-rpath-link," + at("lib").string()});
  // The outer library has no path of its own, and RUNPATH is not inherited.
  expect_error(find("program"), Failure::missing_library, "libinner.so.1");
  make_library("lib", "outer", {at("lib/libinner.so.1")}, {"-Wl,--enable-new-dtags,-rpath,$ORIGIN"});
  auto found = find("program");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ((*found)[1].path.lexically_normal(), at("lib/libouter.so.1"));
}

TEST_F(LibrariesTest, RpathIsInherited) {
  make_library("lib", "inner");
  make_library("lib", "outer", {at("lib/libinner.so.1")});
  compile_sample(
      at("program"), kMain,
      {"-Wl,--no-as-needed", at("lib/libouter.so.1"), "-Wl,--disable-new-dtags,-rpath,$ORIGIN/lib"});
  auto found = find("program");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ(names(*found), (std::vector<std::string>{"ld-linux-x86-64.so.2", "libouter.so.1", "libc.so.6",
                                                     "libinner.so.1", "libgcc_s.so.1"}));
}

TEST_F(LibrariesTest, ConfiguredFoldersAndIncludes) {
  make_library("configured", "one");
  ASSERT_TRUE(write_text(at("ld.so.conf"), "# comment\ninclude more/*.conf\n"));
  fs::create_directories(at("more"));
  ASSERT_TRUE(write_text(at("more/a.conf"), at("configured").string() + "/  # here\n"));
  folders_ = glibc_folders(at("ld.so.conf"));
  ASSERT_EQ(folders_.configured, std::vector<fs::path>{at("configured")});
  compile_sample(at("program"), kMain, {"-Wl,--no-as-needed", at("configured/libone.so.1")});
  auto found = find("program");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ((*found)[1].path, at("configured/libone.so.1"));
  EXPECT_TRUE((*found)[1].only_by_configuration);
  EXPECT_FALSE((*found)[2].only_by_configuration);
}

TEST_F(LibrariesTest, FilesForOtherMachinesAreSteppedOver) {
  make_library("good", "one");
  fs::create_directories(at("bad"));
  ASSERT_TRUE(write_text(at("bad/libone.so.1"), "no library"));
  folders_.configured = {at("bad"), at("good")};
  compile_sample(at("program"), kMain, {"-Wl,--no-as-needed", at("good/libone.so.1")});
  auto found = find("program");
  ASSERT_TRUE(found) << found.error().message;
  EXPECT_EQ((*found)[1].path, at("good/libone.so.1"));
}

TEST_F(LibrariesTest, MissingLibraryNamesItWhoNeedsItAndAPackage) {
  make_library("lib", "gone");
  compile_sample(at("program"), kMain, {"-Wl,--no-as-needed", at("lib/libgone.so.1")});
  auto found = find("program");
  expect_error(found, Failure::missing_library, "libgone.so.1");
  EXPECT_NE(found.error().message.find(at("program").string()), std::string::npos);
  EXPECT_NE(found.error().hint.find("apt-get install libgone1"), std::string::npos);
}

TEST_F(LibrariesTest, MissingLoader) {
  compile_sample(at("program"), kMain, {"-Wl,--dynamic-linker=/nowhere/ld.so"});
  expect_error(find("program"), Failure::missing_library, "/nowhere/ld.so");
}

TEST(LikelyPackage, FollowsDebiansNames) {
  EXPECT_EQ(likely_package("libfoo.so.1"), "libfoo1");
  EXPECT_EQ(likely_package("libevent-2.1.so.7"), "libevent-2.1-7");
  EXPECT_EQ(likely_package("libgtk-3.so.0"), "libgtk-3-0");
  EXPECT_EQ(likely_package("libX11.so.6"), "libx11-6");
  EXPECT_EQ(likely_package("libstdc++.so.6"), "libstdc++6");
  EXPECT_EQ(likely_package("libabsl_base.so.20220623"), "libabsl-base20220623");
  EXPECT_EQ(likely_package("libfoo.so"), "libfoo");
}

} // namespace
} // namespace ukl
