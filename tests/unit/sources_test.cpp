// SPDX-License-Identifier: GPL-2.0-only
// Container images as sources.
#include "contents/file_view.hpp"
#include "sample_layout.hpp"
#include "small_file_system.hpp"
#include "sources/apply_layer.hpp"
#include "sources/layer_store.hpp"
#include "sources/source.hpp"
#include "sources/tree_users.hpp"
#include "support/interrupt.hpp"

#include <algorithm>
#include <csignal>
#include <random>
#include <sys/wait.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

constexpr const char* kShell = R"("Cmd": ["/bin/sh"])";

class OciTest : public SourceTest {
protected:
  Result<Source> open(const std::string& more = "") {
    return open_sources({"oci:" + layout().folder().string() + more}, silent_reporter());
  }
  SampleLayout& layout() {
    if (!layout_)
      layout_.emplace(at("layout"));
    return *layout_;
  }
  // One image of these layers, which fails to open like this.
  void expect_refused(const std::vector<std::vector<TarEntry>>& layers, Failure failure,
                      const std::string& part) {
    for (const auto& one : layers)
      layout().layer(make_tar(one));
    layout().image(kShell);
    expect_error(open(), failure, part);
  }
  // No file is outside of the cache and of what the test made.
  void expect_nothing_outside() {
    for (const auto& entry : fs::directory_iterator(at("")))
      EXPECT_TRUE(entry.path().filename() == "cache" || entry.path().filename() == "layout") << entry.path();
    for (const auto& layer : fs::directory_iterator(at("cache/layers")))
      for (const auto& file : fs::recursive_directory_iterator(layer.path())) {
        const auto name = file.path().filename().string();
        EXPECT_TRUE(name == "index" || name.find_first_not_of("0123456789") == std::string::npos)
            << file.path();
        EXPECT_TRUE(file.is_regular_file() && !file.is_symlink()) << file.path();
      }
  }
  std::optional<SampleLayout> layout_;
};

TEST_F(OciTest, LayersLieOneOverTheOther) {
  layout().layer(make_tar({{"./etc", "", 'd', 0755},
                           {"./etc/a", "old a"},
                           {"./etc/b", "b"},
                           {"./srv/one", "1"},
                           {"./srv/two", "2"},
                           {"./lib", "usr/lib", 'l'},
                           {"./lib/x", "x"},
                           {"./opt/deep/file", "gone"},
                           {"./was-a-folder/in", ""},
                           {"./was-a-file", "f"},
                           {"./was-a-link", "etc", 'l'}},
                          "gzip"));
  layout().layer(make_tar({{"./srv/three", "3"},
                           {"./srv/.wh..wh..opq", ""},
                           {"./etc/.wh.b", ""},
                           {"./.wh.opt", ""},
                           {"./etc/a", "new a", '-', 0600, 7, 8, 1234},
                           {"./was-a-folder", "now a file"},
                           {"./was-a-file", "", 'd', 0711},
                           {"./was-a-file/in", "y"},
                           {"./was-a-link", "", 'd', 0700},
                           {"./etc/same", "etc/a", 'h'}},
                          "zstd"));
  layout().image(kShell);
  const auto source = open();
  ASSERT_TRUE(source) << source.error().message;
  const auto& tree = source->tree;
  EXPECT_EQ(text_in_tree(tree, "/etc/a"), "new a");
  EXPECT_EQ(tree.find("/etc/a")->mode, 0600u);
  EXPECT_EQ(tree.find("/etc/a")->owner, 7u);
  EXPECT_EQ(tree.find("/etc/a")->group, 8u);
  EXPECT_EQ(tree.find("/etc/a")->time, 1234);
  EXPECT_EQ(tree.find("/etc/b"), nullptr);
  EXPECT_EQ(tree.find("/opt"), nullptr);
  EXPECT_EQ(tree.find("/srv/one"), nullptr);
  EXPECT_EQ(text_in_tree(tree, "/srv/three"), "3");
  EXPECT_TRUE(tree.entries().contains("/usr/lib/x"));
  EXPECT_EQ(text_in_tree(tree, "/was-a-folder"), "now a file");
  EXPECT_EQ(tree.find("/was-a-file")->mode, 0711u);
  EXPECT_EQ(tree.find_name("/was-a-link")->type, TreeEntry::Type::folder);
  EXPECT_NE(tree.find("/etc"), nullptr);
  // Two names of one file.
  EXPECT_NE(tree.find("/etc/a")->host_inode, 0u);
  EXPECT_EQ(tree.find("/etc/a")->host_inode, tree.find("/etc/same")->host_inode);
  for (const auto& [path, entry] : tree.entries())
    EXPECT_EQ(path.find(".wh."), std::string::npos) << path;
}

TEST_F(OciTest, FilesAreOfThePackagesThatItsOwnDatabaseNames) {
  layout().layer(make_tar({{"bin/tool", "t", '-', 0755},
                           {"bin/other", "o", '-', 0755},
                           {"etc/os-release", "ID=alpine\nVERSION_ID=3.19.1\n"},
                           {"lib/apk/db/installed", "P:old\nV:1\nF:bin\nR:tool\n"}}));
  layout().layer(
      make_tar({{"bin/.wh.other", ""},
                {"lib/apk/db/installed", "P:tool\nV:2-r0\nA:x86_64\nL:ISC\nF:bin\nR:tool\nR:other\n"}}));
  layout().image(kShell);
  const auto source = open();
  ASSERT_TRUE(source) << source.error().message;
  const auto package = source->tree.find("/bin/tool")->package;
  ASSERT_TRUE(package);
  EXPECT_EQ(package_url(*package), "pkg:apk/alpine/tool@2-r0?arch=x86_64&distro=alpine-3.19.1");
  EXPECT_EQ(package->licence, "ISC");
  EXPECT_EQ(source->tree.find("/etc/os-release")->package, nullptr);
  EXPECT_EQ(source->tree.find("/bin/other"), nullptr);
}

TEST_F(OciTest, ConfigurationIsTheProgram) {
  layout().layer(make_tar({{"etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/sh\n"},
                           {"etc/group", "root:x:0:\nweb:x:34:\nlog:x:55:web\n"}}));
  layout().image(R"("Entrypoint": ["/app", "-x"], "Cmd": ["one"], "Env": ["A=1", "broken", "PATH=/p"],
                    "User": "web:log", "WorkingDir": "/srv/data", "ExposedPorts": {"80/tcp": {}, "9000/udp": {}},
                    "Labels": {"maker": "us"}, "Healthcheck": {"Test": ["CMD", "/app", "check"], "Interval": 2000000000},
                    "Volumes": {"/data": {}})");
  const auto source = open();
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->name, "layout");
  EXPECT_EQ(source->entrypoint, (std::vector<std::string>{"/app", "-x"}));
  EXPECT_EQ(source->arguments, (std::vector<std::string>{"one"}));
  EXPECT_EQ(source->environment, (std::vector<std::string>{"A=1", "PATH=/p", "HOME=/srv"}));
  EXPECT_EQ(source->user, "33:55");
  EXPECT_TRUE(source->groups.empty()); // the user has a group there
  EXPECT_EQ(further_groups(source->tree, "web"), (std::vector<std::string>{"55"}));
  EXPECT_EQ(further_groups(source->tree, "33"), (std::vector<std::string>{"55"}));
  EXPECT_TRUE(further_groups(source->tree, "nobody").empty());
  EXPECT_EQ(source->labels, (std::vector<std::string>{"maker=us"}));
  EXPECT_EQ(source->health, R"({"Interval":2000000000,"Test":["CMD","/app","check"]})");
  EXPECT_EQ(source->directory, "/srv/data");
  EXPECT_NE(source->tree.find("/srv/data"), nullptr);
  ASSERT_EQ(source->command_notes.size(), 2u);
  EXPECT_EQ(source->command_notes[0],
            "listens on 80/tcp, 9000/udp: ukl run -p 8080:80 -p 9000:9000/udp, or -P");
  EXPECT_NE(source->command_notes[1].find("--volume FOLDER:/data"), std::string::npos);
}

TEST_F(OciTest, UsersAreThoseOfTheImage) {
  layout().layer(make_tar({{"etc/passwd", "web:x:33:34::/srv:/bin/sh\n"}}));
  layout().image(R"("User": "33")", "known");
  layout().layer(make_tar({}));
  layout().image(R"("User": "77")", "unknown");
  layout().layer(make_tar({}));
  layout().image(R"("User": "nobody-there")", "name");
  EXPECT_EQ(open(":known")->user, "33:34");
  EXPECT_EQ(open(":unknown")->user, "77:0");
  expect_error(open(":name"), Failure::usage, "nobody-there");
}

TEST_F(OciTest, TagsAndPlatforms) {
  layout().layer(make_tar({{"file", "1"}}));
  layout().image(kShell, "one");
  layout().layer(make_tar({{"file", "2"}}));
  layout().image(kShell, "example.org:5000/name:two");
  layout().layer(make_tar({{"file", "3"}}));
  layout().image(kShell, "arm", "arm64");
  EXPECT_EQ(text_in_tree(open(":one")->tree, "/file"), "1");
  EXPECT_EQ(text_in_tree(open(":two")->tree, "/file"), "2");
  expect_error(open(), Failure::usage, "several images");
  expect_error(open(":three"), Failure::usage, "no image three");
  expect_error(open(":arm"), Failure::wrong_architecture, "linux/arm64");
}

TEST_F(OciTest, AnIndexInTheIndex) {
  SampleLayout inner(at("layout"));
  inner.layer(make_tar({{"file", "x"}}));
  inner.image(kShell, "", "arm64");
  inner.layer(make_tar({{"file", "y"}}));
  inner.image(kShell);
  const auto digest = inner.blob(*read_text(at("layout/index.json")));
  write_bytes(at("layout/index.json"), fmt::format(R"({{"manifests": [{{"digest": "sha256:{}", "annotations":
                          {{"org.opencontainers.image.ref.name": "latest"}}}}]}})",
                                                   digest));
  auto source = open(":latest");
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(text_in_tree(source->tree, "/file"), "y");
}

TEST_F(OciTest, DevicesAreLeftOutAndNamed) {
  layout().layer(
      make_tar({{"dev/null", "", 'c'}, {"pipe", "", 'p'}, {"file", ""}, {"proc/x", ""}, {"sys/y", ""}}));
  layout().image(kShell);
  const auto source = open();
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->tree.find("/dev/null"), nullptr);
  EXPECT_EQ(source->tree.find("/proc/x"), nullptr);
  EXPECT_NE(source->tree.find("/file"), nullptr);
  ASSERT_EQ(source->notes.size(), 1u);
  EXPECT_EQ(source->notes[0], "left out /dev/null (and 1 more): neither file nor folder nor link");
}

TEST_F(OciTest, WhatLeadsOutIsRefused) {
  expect_refused({{{"a/../../outside", "x"}}}, Failure::unreadable, "leads out");
  expect_nothing_outside();
}

TEST_F(OciTest, AHardLinkToTheOutsideIsRefused) {
  expect_refused({{{"passwd", "../../../../etc/passwd", 'h'}}}, Failure::unreadable, "leads out");
  expect_nothing_outside();
}

TEST_F(OciTest, AHardLinkToAFileOfThisMachineIsNone) {
  expect_refused({{{"passwd", "/etc/passwd", 'h'}}}, Failure::unreadable, "no file of it");
  expect_nothing_outside();
}

TEST_F(OciTest, AbsoluteNamesAndLinksStayInTheTree) {
  layout().layer(make_tar({{at("outside").string(), "x"},
                           {"away", at("").string(), 'l'},
                           {"away/outside2", "y"},
                           {"up", "../../../../../..", 'l'},
                           {"up/outside3", "z"}}));
  layout().image(kShell);
  const auto source = open();
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_NE(source->tree.find(at("outside")), nullptr);
  EXPECT_NE(source->tree.find(at("outside2")), nullptr);
  EXPECT_TRUE(source->tree.entries().contains("/outside3"));
  expect_nothing_outside();
}

TEST_F(OciTest, LinksInCirclesAreRefused) {
  expect_refused({{{"a", "b", 'l'}, {"b", "a", 'l'}, {"a/file", "x"}}}, Failure::unreadable, "links");
}

TEST_F(OciTest, AFileIsNoFolder) {
  expect_refused({{{"a", "file"}, {"a/b", "x"}}}, Failure::unreadable, "cannot be a folder");
}

TEST_F(OciTest, AWhiteoutOfNothingIsRefused) {
  expect_refused({{{"etc/.wh...", ""}}}, Failure::unreadable, "removes nothing");
}

TEST_F(OciTest, NamesTooLongForLinux) {
  expect_refused({{{std::string(300, 'x'), ""}}}, Failure::unreadable, "longer than Linux allows");
}

TEST_F(OciTest, NamesThatAreNoText) {
  layout().layer(make_tar({{"\xff\xfe name%20\n", "x"}, {"gr\xc3\xbc\xc3\x9f", "y"}}));
  layout().image(kShell);
  for (int i = 0; i < 2; ++i) {
    const auto source = open();
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_EQ(text_in_tree(source->tree, "/\xff\xfe name%20\n"), "x");
    EXPECT_EQ(text_in_tree(source->tree, "/gr\xc3\xbc\xc3\x9f"), "y");
  }
  expect_nothing_outside();
}

TEST_F(OciTest, ManyEntries) {
  std::vector<TarEntry> entries;
  for (int i = 0; i < 100'000; ++i)
    entries.push_back({fmt::format("d{}/f{}", i % 100, i), "d0/f0", i == 0 ? '-' : 'h'});
  layout().layer(make_tar(entries));
  layout().image(kShell);
  const auto source = open();
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->tree.entries().size(), 100'100u);
}

// As umoci insert writes them: nothing fills the last block, and nothing says that this is the end.
TEST_F(OciTest, AnArchiveMayEndWithItsLastFile) {
  auto whole = make_tar({{"a", "text of a"}});
  layout().layer(whole.substr(0, 512 + 9));
  layout().image(kShell);
  const auto source = open();
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(text_in_tree(source->tree, "/a"), "text of a");
}

TEST_F(OciTest, AnArchiveEndsNotWithinAFile) {
  layout().layer(make_tar({{"a", "text of a"}}).substr(0, 512 + 8));
  layout().image(kShell);
  EXPECT_FALSE(open());
}

TEST_F(OciTest, ATruncatedLayer) {
  auto tar = make_tar({{"file", std::string(100'000, 'x')}}, "gzip");
  tar.resize(tar.size() / 2);
  layout().layer(tar);
  layout().image(kShell);
  expect_error(open(), Failure::unreadable, "cannot unpack layer");
  EXPECT_TRUE(fs::is_empty(at("cache/layers")));
}

TEST_F(OciTest, AFullDiskLeavesNothing) {
  layout().layer(make_tar({{"small", "x"}, {"large", std::string(4 << 20, 'x')}}));
  layout().image(kShell);
  fs::create_directories(at("cache"));
  constexpr int kCannotMount = 90;
  const auto child = [&] {
    if (const auto problem = test::mount_small(at("cache")); !problem.empty()) {
      std::perror(problem.c_str());
      return kCannotMount;
    }
    const auto source = open();
    if (source)
      return 91;
    return fs::is_empty(at("cache/layers")) ? static_cast<int>(source.error().failure) : 92;
  };
  // In a process of its own: a mount name space is for good.
  const pid_t pid = fork();
  if (pid == 0)
    _exit(child());
  int status = 0;
  ASSERT_EQ(waitpid(pid, &status, 0), pid);
  if (WEXITSTATUS(status) == kCannotMount)
    GTEST_SKIP() << "this user may not mount a small file system (see above)";
  EXPECT_EQ(WEXITSTATUS(status), static_cast<int>(Failure::disk_full));
}

TEST_F(OciTest, CtrlCLeavesNothing) {
  const auto tar = make_tar({{"file", "x"}});
  catch_interrupts();
  // The signal comes when the archive is half read.
  const auto stored = store_layer(
      digest_of(tar), "layer",
      [&](LayerWriter& writer) -> Result<std::string> {
        raise(SIGINT);
        write_bytes(at("layer.tar"), tar);
        TRY_LET(const auto stream, stream_file(at("layer.tar")));
        return unpack_hashed(*stream, digest_of(tar),
                             [&](ByteStream& hashed) { return writer.unpack(hashed, "layer"); });
      },
      silent_reporter());
  clear_interrupt();
  ASSERT_FALSE(stored);
  EXPECT_EQ(stored.error().failure, Failure::interrupted);
  EXPECT_TRUE(fs::is_empty(at("cache/layers")));
}

// Says that it holds more than any image can; what is there of it is little.
TEST_F(OciTest, ALayerThatOnlyWantsToFillTheDisk) {
  auto tar = make_tar({{"file", "x"}});
  // The size in the header, in base 256, and the header's sum anew.
  std::string size(12, '\0');
  size[0] = static_cast<char>(0x80);
  size[5] = 1;
  tar.replace(124, 12, size);
  tar.replace(148, 8, "        ");
  unsigned sum = 0;
  for (int i = 0; i < 512; ++i)
    sum += static_cast<unsigned char>(tar[static_cast<std::size_t>(i)]);
  tar.replace(148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
  layout().layer(tar);
  layout().image(kShell);
  expect_error(open(), Failure::usage, "more than an image can");
  EXPECT_TRUE(fs::is_empty(at("cache/layers")));
}

// Bytes changed at random, always the same ones: an error or a tree, and nothing outside.
TEST_F(OciTest, DamagedAnywhere) {
  const auto tar = make_tar({{"etc/", "", 'd', 0755},
                             {"etc/a", "text"},
                             {"etc/b", "../../outside", 'l'},
                             {"etc/c", "etc/a", 'h'},
                             {"etc/.wh.x", ""},
                             {std::string(120, 'n') + "/" + std::string(120, 'm'), "long"}});
  std::mt19937 random(1);
  int good = 0;
  for (int round = 0; round < 400; ++round) {
    auto damaged = tar;
    for (int i = 0; i < 4; ++i)
      damaged[random() % damaged.size()] = static_cast<char>(random());
    // Half of them with headers whose sums are right again.
    for (std::size_t header = 0; round % 2 == 0 && header + 512 <= damaged.size(); header += 512) {
      damaged.replace(header + 148, 8, "        ");
      unsigned sum = 0;
      for (std::size_t i = header; i < header + 512; ++i)
        sum += static_cast<unsigned char>(damaged[i]);
      damaged.replace(header + 148, 8, fmt::format("{:06o}", sum) + std::string("\0 ", 2));
    }
    write_bytes(at("cache/damaged.tar"), damaged);
    fs::remove_all(at("cache/layers"));
    const auto layer = store_layer(
        digest_of(damaged), "layer",
        [&](LayerWriter& writer) -> Result<std::string> {
          TRY_LET(const auto stream, stream_file(at("cache/damaged.tar")));
          return unpack_hashed(*stream, digest_of(damaged),
                               [&](ByteStream& hashed) { return writer.unpack(hashed, "layer"); });
        },
        silent_reporter());
    RootTree tree;
    good += layer && apply_layer(tree, *layer, LayerKind::image, "layer");
    expect_nothing_outside();
  }
  EXPECT_GT(good, 0);
}

TEST_F(OciTest, WrongDigests) {
  const auto tar = make_tar({{"file", "right"}});
  const auto digest = layout().layer(tar);
  layout().image(kShell);
  write_bytes(at("layout/blobs/sha256") / digest, make_tar({{"file", "wrong"}}));
  expect_error(open(), Failure::unreadable, "is not what it was announced as");
  write_bytes(at("layout/blobs/sha256") / digest, "no archive at all");
  expect_error(open(), Failure::unreadable, "is not what it was announced as");
  EXPECT_TRUE(fs::is_empty(at("cache/layers")));
  write_bytes(at("layout/blobs/sha256") / digest, tar);
  EXPECT_TRUE(open());
}

TEST_F(OciTest, ADamagedIndex) {
  write_bytes(at("layout/index.json"), "{\"manifests\": [");
  expect_error(open(), Failure::unreadable, "no JSON");
  write_bytes(at("layout/index.json"), R"({"manifests": [{"digest": "sha256:../../../etc/passwd"}]})");
  expect_error(open(), Failure::unreadable, "no digest");
  write_bytes(at("layout/index.json"), R"({"manifests": [{"digest": "md5:00"}]})");
  expect_error(open(), Failure::usage, "md5");
  write_bytes(at("layout/index.json"), R"([])");
  expect_error(open(), Failure::unreadable, "no manifest");
}

TEST_F(OciTest, TheCacheIsUsedAndADamagedOneMadeAnew) {
  const auto digest = layout().layer(make_tar({{"file", "x"}}));
  layout().image(kShell);
  ASSERT_TRUE(open());
  // Without the layer itself.
  fs::rename(at("layout/blobs/sha256") / digest, at("layout/away"));
  EXPECT_EQ(text_in_tree(open()->tree, "/file"), "x");
  fs::rename(at("layout/away"), at("layout/blobs/sha256") / digest);
  for (const auto& [file, size] : {std::pair("index", 20), std::pair("0", 0), std::pair("0", 5)}) {
    fs::resize_file(at("cache/layers") / digest / file, static_cast<std::uintmax_t>(size));
    EXPECT_EQ(text_in_tree(open()->tree, "/file"), "x") << file;
  }
}

TEST_F(OciTest, ArchivesOfLayouts) {
  layout().layer(make_tar({{"file", "x"}}, "gzip"));
  layout().image(kShell);
  std::vector<TarEntry> entries;
  for (const auto& file : fs::recursive_directory_iterator(at("layout")))
    if (file.is_regular_file())
      entries.push_back({"./" + fs::relative(file.path(), at("layout")).string(), *read_text(file.path())});
  write_bytes(at("image.tar.gz"), make_tar(entries, "gzip"));
  const auto source = open_sources({"oci-archive:" + at("image.tar.gz").string()}, silent_reporter());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(text_in_tree(source->tree, "/file"), "x");
  EXPECT_EQ(source->name, "image");
  expect_error(open_sources({"oci-archive:" + at("none.tar").string()}, silent_reporter()),
               Failure::not_found, "none.tar");
}

TEST_F(OciTest, WhatDockerSaves) {
  const auto layer = make_tar({{"file", "x"}});
  const auto config = fmt::format(
      R"({{"os": "linux", "architecture": "amd64", "config": {{"Cmd": ["a"]}}, "rootfs": {{"diff_ids": ["sha256:{}"]}}}})",
      digest_of(layer));
  const auto manifest = R"([{"Config": "c.json", "RepoTags": ["name:tag"], "Layers": ["two/layer.tar"]}])";
  write_bytes(at("saved.tar"), make_tar({{"one/layer.tar", layer},
                                         {"two/layer.tar", "../one/layer.tar", 'l'},
                                         {"c.json", config},
                                         {"manifest.json", manifest}}));
  for (const char* tag : {"", ":tag", ":name:tag"}) {
    const auto source = open_sources({"docker-archive:" + at("saved.tar").string() + tag}, silent_reporter());
    ASSERT_TRUE(source) << source.error().message;
    EXPECT_EQ(text_in_tree(source->tree, "/file"), "x");
    EXPECT_EQ(source->arguments, (std::vector<std::string>{"a"}));
  }
  expect_error(open_sources({"docker-archive:" + at("saved.tar").string() + ":other"}, silent_reporter()),
               Failure::usage, "no image other");
}

TEST_F(OciTest, AFolder) {
  fs::create_directories(at("root/etc"));
  write_bytes(at("root/etc/name"), "x");
  fs::create_symlink("etc", at("root/link"));
  fs::create_hard_link(at("root/etc/name"), at("root/again"));
  ASSERT_EQ(mkfifo(at("root/pipe").c_str(), 0600), 0);
  const auto source = open_sources({"dir:" + at("root").string()}, silent_reporter());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(text_in_tree(source->tree, "/link/name"), "x");
  EXPECT_EQ(source->tree.find("/again")->host_inode, source->tree.find("/etc/name")->host_inode);
  EXPECT_EQ(source->notes.size(), 1u);
  EXPECT_EQ(source->name, "root");
  expect_error(open_sources({"dir:" + at("none").string()}, silent_reporter()), Failure::not_found, "none");
}

TEST_F(OciTest, OneOverTheOther) {
  write_bytes(at("one/a"), "1");
  write_bytes(at("one/b"), "1");
  write_bytes(at("two/b"), "2");
  const auto source =
      open_sources({"dir:" + at("one").string(), "dir:" + at("two").string()}, silent_reporter());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(text_in_tree(source->tree, "/a"), "1");
  EXPECT_EQ(text_in_tree(source->tree, "/b"), "2");
  // A link does not take the place of a folder with all it holds.
  fs::create_directories(at("three/usr/lib"));
  fs::create_symlink("usr/lib", at("three/lib"));
  write_bytes(at("one/lib/x"), "x");
  const auto kept =
      open_sources({"dir:" + at("one").string(), "dir:" + at("three").string()}, silent_reporter());
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(text_in_tree(kept->tree, "/lib/x"), "x");
  expect_error(open_sources({"dir:" + at("one").string(), "nothing:x"}, silent_reporter()), Failure::usage,
               "nothing:x");
}

// A skopeo that makes a layout, and says how it was called.
TEST_F(OciTest, RegistriesThroughSkopeo) {
  layout().layer(make_tar({{"file", "x"}}));
  layout().image(kShell, "image");
  write_bytes(at("bin/skopeo"), fmt::format("#!/bin/sh\necho \"$@\" > {}\nfor last; do :; done\n"
                                            "last=${{last#oci:}}\ncp -r {}/. \"${{last%:*}}\"\n",
                                            at("called").string(), at("layout").string()));
  fs::permissions(at("bin/skopeo"), fs::perms::owner_all);
  const std::string path = getenv("PATH");
  setenv("PATH", (at("bin").string() + ":" + path).c_str(), 1);
  const auto source = open_sources({"oci:localhost:5000/some/name:7"}, silent_reporter());
  const auto called = *read_text(at("called"));
  setenv("PATH", at("nowhere").c_str(), 1);
  const auto missing = open_sources({"oci:redis:7"}, silent_reporter());
  setenv("PATH", path.c_str(), 1);
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_EQ(source->name, "name");
  EXPECT_NE(called.find("--src-tls-verify=false docker://localhost:5000/some/name:7 oci:"), std::string::npos)
      << called;
  expect_error(missing, Failure::missing_tool, "skopeo");
  EXPECT_EQ(missing.error().hint, "apt-get install skopeo");
  expect_error(open_sources({"oci:./none"}, silent_reporter()), Failure::not_found, "none");
}

TEST(LayerIndex, IsReadAsItWasWritten) {
  Layer layer;
  layer.entries.push_back({LayerEntry::Kind::link, 0777, 1, 2, -3, 0, "/a b\n%", "\xff ../x"});
  layer.left_out = {"/dev/x y"};
  layer.entries[0].capability = "0100000200";
  const auto read = decode_index(encode_index(layer));
  ASSERT_TRUE(read);
  ASSERT_EQ(read->entries.size(), 1u);
  EXPECT_EQ(read->entries[0].path, "/a b\n%");
  EXPECT_EQ(read->entries[0].target, "\xff ../x");
  EXPECT_EQ(read->entries[0].time, -3);
  EXPECT_EQ(read->left_out, layer.left_out);
  EXPECT_EQ(read->entries[0].capability, "0100000200");
  auto cut = encode_index(layer);
  cut.resize(cut.size() - 4);
  EXPECT_FALSE(decode_index(cut));
  EXPECT_FALSE(decode_index(""));
}

} // namespace
} // namespace ukl
