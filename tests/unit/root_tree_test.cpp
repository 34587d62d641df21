// SPDX-License-Identifier: GPL-2.0-only
#include "contents/root_tree.hpp"
#include "sample_files.hpp"

#include <sys/stat.h>

namespace ukl {
namespace {

namespace fs = std::filesystem;

TEST(RootTree, MakesParentsAndFollowsLinks) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/lib", link_entry("usr/lib")));
  ASSERT_TRUE(tree.add("/lib/a/../b/file", text_entry("x")));
  EXPECT_TRUE(tree.entries().contains("/usr/lib/b/file"));
  EXPECT_FALSE(tree.entries().contains("/usr/lib/a"));
  ASSERT_TRUE(tree.add("/deep", link_entry("/lib/b")));
  EXPECT_NE(tree.find("/deep/file"), nullptr);
  EXPECT_EQ(tree.find("/deep/other"), nullptr);
}

TEST(RootTree, FilesAndLinksAreReplacedFoldersStay) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/tmp", folder_entry(01777)));
  ASSERT_TRUE(tree.add("/tmp", folder_entry(0755)));
  EXPECT_EQ(tree.find("/tmp")->mode, 01777u);
  // One that was only on the way to something takes what is said of it later.
  ASSERT_TRUE(tree.add("/way/file", text_entry("")));
  ASSERT_TRUE(tree.add("/way", folder_entry(0700)));
  EXPECT_EQ(tree.find("/way")->mode, 0700u);
  ASSERT_TRUE(tree.add("/f", link_entry("elsewhere")));
  ASSERT_TRUE(tree.add("/f", text_entry("1")));
  EXPECT_EQ(tree.find("/f")->type, TreeEntry::Type::file);
}

TEST(RootTree, RefusesWhatCannotBe) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/file", text_entry("")));
  expect_error(tree.add("relative", text_entry("")), Failure::usage, "relative");
  expect_error(tree.add("/file/below", text_entry("")), Failure::usage, "/file");
  ASSERT_TRUE(tree.add("/folder/x", text_entry("")));
  expect_error(tree.add("/folder", text_entry("")), Failure::usage, "is a folder");
  ASSERT_TRUE(tree.add("/loop", link_entry("loop")));
  expect_error(tree.add("/loop/x", text_entry("")), Failure::usage, "too many symbolic links");
}

class RootTreeTest : public FolderTest {};

TEST_F(RootTreeTest, SamePathKeepsTheLinksOnTheWay) {
  fs::create_directories(at("real/sub"));
  ASSERT_TRUE(write_text(at("real/sub/file-1"), "x", 0640));
  fs::create_directory_symlink("real", at("linked"));
  fs::create_symlink("file-1", at("real/sub/file"));
  RootTree tree;
  ASSERT_TRUE(tree.add_same_path(at("linked/sub/file"), 0111));
  const auto base = at("").string();
  ASSERT_TRUE(tree.entries().contains(base + "linked"));
  EXPECT_EQ(tree.entries().at(base + "linked").target, "real");
  EXPECT_EQ(tree.entries().at(base + "real/sub/file").target, "file-1");
  EXPECT_EQ(tree.entries().at(base + "real/sub/file-1").mode, 0751u);
  EXPECT_EQ(tree.find(at("linked/sub/file").string())->host_path, at("real/sub/file-1"));
  expect_error(tree.add_same_path(at("nothing")), Failure::not_found, "nothing");
  expect_error(tree.add_same_path(at("real")), Failure::unreadable, "real");
}

TEST_F(RootTreeTest, CopiesFoldersWithModesLinksAndAnyNames) {
  fs::create_directories(at("in/sub"));
  fs::permissions(at("in/sub"), fs::perms(0700));
  ASSERT_TRUE(write_text(at("in/sub/\xff\xfe name\n"), "x", 04755));
  fs::create_symlink("/somewhere/else", at("in/link"));
  ASSERT_EQ(mkfifo(at("in/pipe").c_str(), 0600), 0);
  RootTree tree;
  CopiedFiles copied;
  ASSERT_TRUE(tree.add_copy(at("in"), "/srv/data", copied));
  EXPECT_EQ(tree.find("/srv/data/sub")->mode, 0700u);
  EXPECT_EQ(tree.find("/srv/data/sub/\xff\xfe name\n")->mode, 04755u);
  EXPECT_EQ(tree.entries().at("/srv/data/link").target, "/somewhere/else");
  EXPECT_EQ(copied.files, std::vector<fs::path>{at("in/sub/\xff\xfe name\n")});
  EXPECT_EQ(copied.skipped, std::vector<fs::path>{at("in/pipe")});
  expect_error(tree.add_copy(at("missing"), "/x", copied), Failure::not_found, "missing");
}

TEST(RootTree, LeavesTmpWritableForAllWhenAProgramLiesThere) {
  RootTree tree;
  ASSERT_TRUE(tree.add("/tmp/build/program", text_entry("")));
  EXPECT_EQ(tree.find("/tmp")->mode, 01777u);
  EXPECT_EQ(tree.find("/tmp/build")->mode, 0755u);
}

} // namespace
} // namespace ukl
