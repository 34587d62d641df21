// SPDX-License-Identifier: GPL-2.0-only
#include "image.hpp"
#include "pack.hpp"
#include "payload_read.hpp"
#include "sample_files.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <map>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMain = "int main(void) { return 0; }";

// Packs with a kernel and an init that boot nowhere: what is tested is what lies in the image.
class PackTest : public FolderTest {
protected:
  void SetUp() override {
    FolderTest::SetUp();
    make_sample_kernel(at("vmlinux"));
    fs::create_directories(at("home"));
    compile_sample(at("home/ukl-init"), kMain, {"-static"});
    setenv("UKL_HOME", at("home").c_str(), 1);
    compile_sample(at("program"), kMain);
    request_.program = at("program").string();
    request_.output = at("image");
    request_.kernel = at("vmlinux");
  }
  void TearDown() override { unsetenv("UKL_HOME"); }

  std::map<std::string, PayloadEntry> files() {
    std::map<std::string, PayloadEntry> seen;
    auto info = read_image(at("image"));
    EXPECT_TRUE(info) << info.error().message;
    if (!info)
      return seen;
    auto read = read_payload(at("image"), *info, [&](const PayloadEntry& entry, const ReadContents&) {
      seen[entry.path] = entry;
      return Result<void>();
    });
    EXPECT_TRUE(read) << read.error().message;
    return seen;
  }

  PackRequest request_;
};

TEST_F(PackTest, ProgramLibrariesInitAndManifest) {
  request_.arguments = {"-x", "two words"};
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  auto seen = files();
  for (const auto& path : {at("program").string(), std::string("/init"), std::string(kManifestPath)})
    EXPECT_TRUE(seen.contains(path)) << path;
  EXPECT_EQ(seen[at("program").string()].mode, 0755u);
  EXPECT_EQ(packed->libraries.size(), 3u);
  const auto info = read_image(at("image"));
  EXPECT_EQ(values_of(info->manifest, key::argument),
            (std::vector<std::string>{at("program").string(), "-x", "two words"}));
  EXPECT_EQ(value_of(info->manifest, key::format), kImageFormat);
  EXPECT_EQ(packed->image_size, fs::file_size(at("image")));
  EXPECT_GE(memory_needed(*info, *unpacked_size(at("image"), *info)), info->memory_end);
}

// The loader inside finds every library: its path there leads to a file.
TEST_F(PackTest, EveryLibraryIsReachedThroughItsLinks) {
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  auto seen = files();
  for (auto path : packed->libraries) {
    for (int links = 0; links < 10; ++links) {
      const auto hop = std::ranges::find_if(seen, [&](const auto& one) {
        return one.second.type == 'l' && (path == one.first || path.starts_with(one.first + "/"));
      });
      if (hop == seen.end())
        break;
      const auto target = fs::path(hop->first).parent_path() / hop->second.target;
      path = target.lexically_normal().string() + path.substr(hop->first.size());
    }
    ASSERT_TRUE(seen.contains(path)) << path;
    EXPECT_EQ(seen[path].type, '-');
  }
}

TEST_F(PackTest, SameInputsSameBytesInLittleTime) {
  ASSERT_TRUE(pack(request_));
  request_.output = at("again");
  // Of the processor, so that a busy machine does not matter.
  const auto start = std::clock();
  ASSERT_TRUE(pack(request_));
  EXPECT_LT(std::clock() - start, 2 * CLOCKS_PER_SEC);
  EXPECT_EQ(*read_file(at("image")), *read_file(at("again")));
}

TEST_F(PackTest, OnlyAKernelWithAGateGetsRewrittenPrograms) {
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_TRUE(packed->ring0);
  EXPECT_GT(packed->sites, packed->sites_left);
  const auto rewritten = files()["/init"].size;
  request_.rewrite = false;
  packed = pack(request_);
  ASSERT_TRUE(packed);
  EXPECT_EQ(packed->sites, 0u);
  EXPECT_LT(files()["/init"].size, rewritten);
  request_.rewrite = true;
  make_sample_kernel(at("vmlinux"), false);
  packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_FALSE(packed->ring0);
  EXPECT_EQ(packed->sites, 0u);
}

TEST_F(PackTest, MasksWhatNoProgramMakesAndTheUserDoesNotAskFor) {
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_TRUE(packed->doubts.empty()) << packed->doubts[0];
  EXPECT_LT(packed->answered, 150u);
  const auto records = [&] { return values_of(read_image(at("image"))->manifest, key::syscall); };
  const auto has = [&](const std::string& record) { return std::ranges::count(records(), record) == 1; };
  EXPECT_TRUE(has("165:masked")); // mount: only init needs it
  // A shortcut is no reason to answer a call; a choice of the user's is.
  request_.calls = {"45:shortcut", "165:shortcut", "166:full"};
  packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_TRUE(has("45:shortcut"));
  EXPECT_TRUE(has("165:masked"));
  EXPECT_FALSE(has("165:shortcut"));
  EXPECT_EQ(records().back(), "166:full");
  request_.calls.clear();
  request_.masks.all = true;
  ASSERT_TRUE(pack(request_));
  EXPECT_TRUE(records().empty());
}

TEST_F(PackTest, AddedFilesBringTheirLibraries) {
  fs::create_directories(at("plugins/private"));
  compile_sample(at("plugins/private/libown.so.1"), "int own(void) { return 1; }",
                 {"-shared", "-fPIC", "-nostdlib"});
  compile_sample(at("plugins/plug.so"), "int plug(void) { return 1; }",
                 {"-shared", "-fPIC", "-Wl,--no-as-needed", "-lz", at("plugins/private/libown.so.1"),
                  "-Wl,-rpath,$ORIGIN/private"});
  compile_sample(at("gone.so"), "int gone(void) { return 1; }",
                 {"-shared", "-fPIC", "-Wl,-soname,libgone.so.1"});
  compile_sample(at("plugins/broken.so"), "int broken(void) { return 1; }",
                 {"-shared", "-fPIC", "-Wl,--no-as-needed", at("gone.so")});
  request_.files = {{at("plugins"), "/srv/plugins"}};
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  const auto seen = files();
  EXPECT_TRUE(seen.contains("/srv/plugins/plug.so"));
  EXPECT_TRUE(seen.contains("/srv/plugins/private/libown.so.1"));
  // Once is enough: the copy under the plug-ins' own folder is what $ORIGIN leads to.
  EXPECT_FALSE(seen.contains(at("plugins/private/libown.so.1").string()));
  EXPECT_TRUE(std::ranges::any_of(
      packed->libraries, [](const auto& path) { return path.find("libz.so.1") != std::string::npos; }));
  ASSERT_EQ(packed->missing.size(), 1u);
  EXPECT_NE(packed->missing[0].find("libgone.so.1"), std::string::npos);
}

TEST_F(PackTest, LibrariesFromAFolderOfTheUsers) {
  fs::create_directories(at("own"));
  compile_sample(at("own/libown.so.1"), "int own(void) { return 1; }",
                 {"-shared", "-fPIC", "-Wl,-soname,libown.so.1"});
  compile_sample(at("program"), "int own(void); int main(void) { return own(); }",
                 {at("own/libown.so.1").string()});
  EXPECT_EQ(pack(request_).error().failure, Failure::missing_library);
  request_.library_folders = {at("own")};
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  // Where the loader in the image finds it: a link in a folder that it searches.
  EXPECT_EQ(files()["/usr/lib/x86_64-linux-gnu/libown.so.1"].target, at("own/libown.so.1").string());
}

TEST_F(PackTest, ScriptsBringTheirInterpreter) {
  ASSERT_TRUE(write_text(at("script"), "#!/bin/cat\n", 0644));
  request_.program = at("script").string();
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  auto seen = files();
  EXPECT_EQ(seen[at("script").string()].mode, 0755u);
  EXPECT_TRUE(seen.contains("/usr/bin/cat") || seen.contains("/bin/cat"));
  EXPECT_EQ(value_of(read_image(at("image"))->manifest, key::argument), at("script").string());
}

TEST_F(PackTest, AnotherPlaceInTheImage) {
  request_.guest_path = "/usr/local/bin/tool";
  ASSERT_TRUE(pack(request_));
  const auto seen = files();
  EXPECT_TRUE(seen.contains("/usr/local/bin/tool"));
  EXPECT_FALSE(seen.contains(at("program").string()));
}

TEST_F(PackTest, FileOptions) {
  EXPECT_EQ(parse_added_file("a:/b")->host, "a");
  EXPECT_EQ(parse_added_file("a:/b")->guest, "/b");
  EXPECT_EQ(parse_added_file("c:/d:/e")->host, "c:/d");
  EXPECT_EQ(parse_added_file("/both")->guest, "/both");
  for (const char* wrong : {"a", "a:b", ":/b", ""})
    expect_error(parse_added_file(wrong), Failure::usage, wrong);
}

TEST_F(PackTest, MistakesAndMissingParts) {
  const auto with = [&](auto change) {
    auto request = request_;
    change(request);
    auto packed = pack(request);
    EXPECT_FALSE(fs::exists(at("image")));
    return packed;
  };
  expect_error(with([&](auto& r) { r.program = at("none").string(); }), Failure::not_found, "none");
  expect_error(with([&](auto& r) { r.kernel = at("none"); }), Failure::not_found, "none");
  expect_error(with([&](auto& r) { r.kernel = at("program"); }), Failure::not_elf, "program");
  expect_error(with([&](auto& r) { r.files = {{at("none"), "/x"}}; }), Failure::not_found, "none");
  expect_error(with([&](auto& r) {
                 r.files = {{at("program"), "/etc"}, {at("program"), "/etc/x"}};
               }),
               Failure::usage, "/etc");
  expect_error(with([&](auto& r) { r.settings.address = "x"; }), Failure::usage, "--address");
  expect_error(with([&](auto& r) { r.output = at("no/image"); }), Failure::unwritable, "no/image");
  fs::remove(at("home/ukl-init"));
  expect_error(with([](auto&) {}), Failure::not_found, "init");
}

TEST_F(PackTest, NoKernelBuiltYet) {
  unsetenv("UKL_HOME"); // the kernel's profiles are those of the source tree
  setenv("UKL_CACHE", at("cache").c_str(), 1);
  request_.kernel.clear();
  expect_error(pack(request_), Failure::no_kernel, "general");
  EXPECT_NE(pack(request_).error().hint.find("ukl kernel build"), std::string::npos);
  request_.profile = "no-such-profile";
  expect_error(pack(request_), Failure::usage, "no-such-profile");
  unsetenv("UKL_CACHE");
}

} // namespace
} // namespace ukl
