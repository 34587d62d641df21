// SPDX-License-Identifier: GPL-2.0-only
#include "image/pack.hpp"
#include "image/payload_read.hpp"
#include "image/write.hpp"
#include "sample_files.hpp"

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <map>
#include <span>
#include <sys/xattr.h>

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
    request_.places = *read_places();
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
  EXPECT_GE(packed->memory.least, info->memory_end);
  // The image says of itself what was counted when it was made.
  const auto size = tree_size(at("image"), *info);
  ASSERT_TRUE(size);
  EXPECT_EQ(memory_need(*info, *size).least, packed->memory.least);
  EXPECT_FALSE(value_of(info->manifest, key::tree).empty());
}

// The two copies of the manifest are one, but for what the tree with the one of them takes in memory, and the
// size of the bill.
TEST_F(PackTest, TheTreeHasTheManifestOfTheNote) {
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  const auto info = read_image(at("image"));
  ASSERT_TRUE(info);
  Manifest inside;
  auto read = read_payload(at("image"), *info, [&](const PayloadEntry& entry, const ReadContents& contents) {
    if (entry.path == kManifestPath) {
      const auto bytes = contents();
      inside = decode_manifest({reinterpret_cast<const char*>(bytes->data()), bytes->size()});
    }
    return Result<void>();
  });
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_GT(values_of(inside, key::syscall).size(), 100u);
  for (const auto name : {key::tree, key::bill, key::archive})
    inside.emplace_back(name, value_of(info->manifest, name));
  EXPECT_EQ(inside, info->manifest);
  // And the kernel's table is what both say.
  const auto table = read_calls(inside);
  ASSERT_TRUE(table);
  const auto image = *read_file(at("image"));
  const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(table->data()),
                                            table->size());
  EXPECT_NE(std::search(image.begin(), image.end(), bytes.begin(), bytes.end()), image.end());
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
  for (const char* choice : {"all=shortcut", "166=full"})
    ASSERT_TRUE(set_call(request_.calls, choice));
  packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_TRUE(has("1:shortcut"));
  EXPECT_TRUE(has("165:masked"));
  EXPECT_TRUE(has("166:full"));
  request_.calls = {};
  request_.calls.answer = CallPolicy::Answer::all;
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

// A library that lies in an added folder is there, wherever in it.
TEST_F(PackTest, LibrariesOfAnAddedFolderAreNotMissing) {
  fs::create_directories(at("java/lib/server"));
  compile_sample(at("java/lib/server/libmachine.so"), "int machine(void) { return 1; }",
                 {"-shared", "-fPIC", "-Wl,-soname,libmachine.so"});
  compile_sample(at("gone.so"), "int gone(void) { return 1; }",
                 {"-shared", "-fPIC", "-Wl,-soname,libgone.so.1"});
  for (const char* name : {"java/lib/libone.so", "java/lib/libtwo.so", "java/lib/libthree.so"})
    compile_sample(at(name), "int one(void) { return 1; }",
                   {"-shared", "-fPIC", "-Wl,--no-as-needed", at("java/lib/server/libmachine.so"),
                    at("gone.so"), "-lz"});
  request_.files = {{at("java"), "/opt/java"}};
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  // The one that is nowhere is named once.
  ASSERT_EQ(packed->missing.size(), 1u);
  EXPECT_NE(packed->missing[0].find("libgone.so.1"), std::string::npos);
  EXPECT_NE(packed->missing[0].find("(and 2 more)"), std::string::npos) << packed->missing[0];
  // What else they need is not lost over that.
  EXPECT_TRUE(std::ranges::any_of(
      packed->libraries, [](const auto& path) { return path.find("libz.so.1") != std::string::npos; }));

  // The program's own library too, by a name that its loader finds.
  compile_sample(at("program"), "int machine(void); int main(void) { return machine(); }",
                 {at("java/lib/server/libmachine.so").string()});
  packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_EQ(files()["/usr/lib/x86_64-linux-gnu/libmachine.so"].target, "/opt/java/lib/server/libmachine.so");
}

TEST_F(PackTest, LinksOutOfAnAddedFolderLeadSomewhere) {
  fs::create_directories(at("holder/site/pages"));
  fs::create_directories(at("shared/deep"));
  ASSERT_TRUE(write_text(at("shared/deep/text"), "text"));
  ASSERT_TRUE(write_text(at("holder/alone"), "alone"));
  fs::create_symlink(at("shared"), at("holder/site/shared"));       // absolute, a folder
  fs::create_symlink("../../alone", at("holder/site/pages/alone")); // relative, out of the folder
  fs::create_symlink("pages", at("holder/site/inside"));
  fs::create_symlink("/nowhere/at/all", at("holder/site/broken"));
  fs::create_symlink(at("holder"), at("holder/site/up"));
  fs::create_symlink("/dev/null", at("holder/site/null"));
  fs::create_symlink(at("holder/alone"), at("shared/deep/onward")); // met on the way
  request_.files = {{at("holder/site"), "/srv/www"}};
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  const auto seen = files();
  EXPECT_TRUE(seen.contains(at("shared/deep/text").string()));
  EXPECT_TRUE(seen.contains(at("holder/alone").string()));
  EXPECT_TRUE(seen.contains("/srv/alone"));
  EXPECT_EQ(seen.at("/srv/www/pages/alone").target, "../../alone");
  EXPECT_FALSE(seen.contains("/nowhere/at/all"));
  EXPECT_FALSE(seen.contains("/dev/null"));
  EXPECT_FALSE(seen.contains(at("holder/site").string()));
  ASSERT_EQ(packed->notes.size(), 2u);
  EXPECT_NE(packed->notes[0].find("(and 2 more)"), std::string::npos) << packed->notes[0];
  EXPECT_NE(packed->notes[1].find("/srv/www/up"), std::string::npos) << packed->notes[1];
}

TEST_F(PackTest, AddedScriptsBringEnvAndNameTheirInterpreter) {
  fs::create_directories(at("bin"));
  ASSERT_TRUE(write_text(at("bin/one"), "#!/usr/bin/env cat\n", 0755));
  ASSERT_TRUE(write_text(at("bin/two"), "#!/bin/no-such-shell -e\n", 0755));
  ASSERT_TRUE(write_text(at("bin/three"), "#!/bin/no-such-shell\n", 0755));
  ASSERT_TRUE(write_text(at("bin/data"), "#!/bin/other\n", 0644));
  request_.files = {{at("bin"), "/opt/bin"}};
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_TRUE(files().contains("/usr/bin/env"));
  ASSERT_EQ(packed->notes.size(), 2u);
  EXPECT_NE(packed->notes[0].find("/bin/no-such-shell is not in the image"), std::string::npos);
  EXPECT_NE(packed->notes[0].find("(and 1 more)"), std::string::npos) << packed->notes[0];
  EXPECT_NE(packed->notes[1].find("interpreter cat"), std::string::npos) << packed->notes[1];
}

TEST_F(PackTest, CapabilitiesComeAlong) {
  ASSERT_TRUE(write_text(at("plain"), "x"));
  ASSERT_TRUE(write_text(at("capable"), "x"));
  // vfs_cap_data of linux/capability.h, revision 2: cap_net_bind_service, effective.
  const unsigned char capability[20] = {1, 0, 0, 2, 0, 4};
  if (setxattr(at("capable").c_str(), "security.capability", capability, sizeof capability, 0) != 0)
    GTEST_SKIP() << "only root may give capabilities to a file, where the file system keeps them";
  request_.files = {{at("plain"), "/plain"}, {at("capable"), "/capable"}};
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_EQ(packed->notes.size(), 0u);
  EXPECT_EQ(values_of(read_image(at("image"))->manifest, key::capability),
            (std::vector<std::string>{"0100000200040000000000000000000000000000:/capable"}));
}

TEST_F(PackTest, NothingGoesWhereTheKernelShowsItsOwnFiles) {
  for (const char* place : {"/proc/x", "/sys/deep/x"}) {
    request_.files = {{at("program"), place}};
    expect_error(pack(request_), Failure::usage, place);
  }
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
  expect_error(with([&](auto& r) { r.settings.addresses = {"x"}; }), Failure::usage, "--address");
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

// A root with a program, a user and a program in a script; nothing of this machine comes in.
class PackSourceTest : public PackTest {
protected:
  void SetUp() override {
    PackTest::SetUp();
    fs::create_directories(at("root/bin"));
    fs::create_directories(at("root/etc"));
    compile_sample(at("root/bin/tool"), kMain, {"-static"});
    ASSERT_TRUE(write_text(at("root/etc/passwd"), "web:x:33:44::/srv:/bin/sh\n"));
    ASSERT_TRUE(write_text(at("root/script"), "#!/bin/tool\n", 0755));
    request_.program = "dir:" + at("root").string();
  }
};

TEST_F(PackSourceTest, TheProgramIsTheTreesOwn) {
  request_.arguments = {"tool", "-x"};
  request_.settings.user = "web";
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  const auto info = read_image(at("image"));
  EXPECT_EQ(values_of(info->manifest, key::argument), (std::vector<std::string>{"/bin/tool", "-x"}));
  EXPECT_EQ(value_of(info->manifest, key::user), "33:44");
  EXPECT_EQ(value_of(info->manifest, key::hostname), "root");
  auto seen = files();
  EXPECT_TRUE(seen.contains("/bin/tool"));
  EXPECT_TRUE(seen.contains("/etc/group"));
  EXPECT_FALSE(seen.contains("/etc/os-release"));
  request_.arguments = {"/script"};
  EXPECT_TRUE(pack(request_));
}

TEST_F(PackSourceTest, WhatIsNotThereIsAnError) {
  expect_error(pack(request_), Failure::usage, "no program to start");
  request_.arguments = {"/bin/sh"};
  expect_error(pack(request_), Failure::not_found, "/bin/sh");
  request_.arguments = {"sh"};
  expect_error(pack(request_), Failure::not_found, "sh");
  request_.arguments = {"/script"};
  request_.settings.user = "nobody-there";
  expect_error(pack(request_), Failure::usage, "nobody-there");
  // A library that this machine has and the tree has not.
  compile_sample(at("root/bin/dynamic"), kMain);
  request_.settings.user = "";
  request_.arguments = {"/bin/dynamic"};
  expect_error(pack(request_), Failure::missing_library, "dynamic loader");
  EXPECT_FALSE(fs::exists(at("image")));
}

// What is started may come from this machine, while its interpreter and libraries are the tree's.
TEST_F(PackSourceTest, TheProgramMayBeAnAddedFile) {
  ASSERT_TRUE(write_text(at("mine"), "#!/bin/tool\n", 0644));
  request_.files = {{at("mine"), "/opt/mine"}};
  request_.arguments = {"/opt/mine", "-x"};
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_EQ(values_of(read_image(at("image"))->manifest, key::argument),
            (std::vector<std::string>{"/opt/mine", "-x"}));
  EXPECT_EQ(files()["/opt/mine"].mode, 0755u);

  // In a folder, by its name alone, and as --entrypoint.
  fs::create_directories(at("programs"));
  fs::copy_file(at("root/bin/tool"), at("programs/started"));
  request_.files = {{at("programs"), "/usr/local/bin"}};
  request_.arguments = {"-y"};
  request_.entrypoint = "started";
  packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  EXPECT_EQ(packed->program, "/usr/local/bin/started");

  // What it needs has to be in the image, and the source lacks it.
  compile_sample(at("programs/dynamic"), kMain);
  request_.entrypoint = "/usr/local/bin/dynamic";
  expect_error(pack(request_), Failure::missing_library, "dynamic loader");
  ASSERT_TRUE(write_text(at("programs/script"), "#!/bin/absent\n", 0755));
  request_.entrypoint = "script";
  expect_error(pack(request_), Failure::not_found, "/bin/absent");
  // Whatever it is, the image does not replace it.
  request_.entrypoint = "started";
  request_.output = at("programs/started");
  expect_error(pack(request_), Failure::usage, "started");
}

TEST_F(PackSourceTest, FilesOfASourceBesideAProgramOfThisMachine) {
  request_.with = {request_.program};
  request_.program = at("program").string();
  auto packed = pack(request_);
  ASSERT_TRUE(packed) << packed.error().message;
  auto seen = files();
  EXPECT_TRUE(seen.contains("/script"));
  EXPECT_TRUE(seen.contains(at("program").string()));
  EXPECT_TRUE(seen.contains("/etc/os-release"));
  request_.entrypoint = "/script";
  expect_error(pack(request_), Failure::usage, "--entrypoint");
}

} // namespace
} // namespace ukl
