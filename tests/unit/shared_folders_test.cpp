// SPDX-License-Identifier: GPL-2.0-only
#include "machine/folder_claims.hpp"
#include "machine/shared_folders.hpp"

#include <csignal>
#include <filesystem>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ukl {
namespace {

using testing::HasSubstr;

TEST(FolderClaims, LetThoseInThatGoTogether) {
  auto folder = TemporaryFolder::create("ukl-claim-test");
  ASSERT_TRUE(folder);
  const auto outer = folder->path() / "outer", inner = outer / "between" / "inner";
  std::filesystem::create_directories(inner);
  std::filesystem::create_directory(folder->path() / "outer2");
  using enum FolderUse;
  for (const auto& [one, two] : {std::pair(outer, outer), {outer, inner}, {inner, outer}})
    for (const auto first : {alone, reading, shared})
      for (const auto second : {alone, reading, shared}) {
        FolderClaims here, there, elsewhere;
        ASSERT_TRUE(here.claim(one, first));
        const auto claimed = there.claim(two, second);
        EXPECT_EQ(bool(claimed), first == second && first != alone)
            << one << static_cast<int>(first) << " then " << two << static_cast<int>(second);
        if (!claimed) {
          EXPECT_EQ(claimed.error().failure, Failure::volume_in_use);
        }
        EXPECT_TRUE(elsewhere.claim(folder->path() / "outer2", alone)) << "a neighbour is nobody's business";
      }
  EXPECT_TRUE(FolderClaims().claim(outer, alone)) << "a claim outlived its owner";
}

TEST(FolderClaims, OneMachineMayHaveAFolderInsideAnother) {
  auto folder = TemporaryFolder::create("ukl-claim-test");
  ASSERT_TRUE(folder);
  std::filesystem::create_directory(folder->path() / "inner");
  FolderClaims claims;
  EXPECT_TRUE(claims.claim(folder->path(), FolderUse::alone));
  EXPECT_TRUE(claims.claim(folder->path() / "inner", FolderUse::reading));
  const auto again = claims.claim(folder->path() / "inner" / ".." / "inner", FolderUse::reading);
  ASSERT_FALSE(again);
  EXPECT_THAT(again.error().message, HasSubstr("twice"));
}

// True once the daemon's messages have ended, which is when it has.
bool ends(const FileDescriptor& messages) {
  for (int wait = 0; wait < 100; ++wait) {
    pollfd event = {messages.get(), POLLIN, 0};
    char byte;
    if (poll(&event, 1, 100) > 0 && read(messages.get(), &byte, 1) == 0)
      return true;
  }
  return false;
}

class FolderDaemonTest : public testing::Test {
protected:
  TemporaryFolder folder = std::move(*TemporaryFolder::create("ukl-daemon,test"));
  void SetUp() override {
    if (access(kVirtiofsd, X_OK) != 0)
      GTEST_SKIP() << "there is no " << kVirtiofsd;
  }
};

TEST_F(FolderDaemonTest, AnswersAndEndsWithItsMachine) {
  auto daemon = FolderDaemon::start({folder.path(), "/data"});
  ASSERT_TRUE(daemon) << daemon.error().message;
  pollfd event = {daemon->errors.get(), POLLIN, 0};
  EXPECT_EQ(poll(&event, 1, 0), 0) << "it has ended already";
  daemon->socket = FileDescriptor(); // all that a machine's end is to it
  EXPECT_TRUE(ends(daemon->errors));
}

TEST_F(FolderDaemonTest, EndsWhenItsOwnerIsKilled) {
  int ends_of_pipe[2];
  ASSERT_EQ(pipe(ends_of_pipe), 0);
  const FileDescriptor reader(ends_of_pipe[0]);
  const pid_t child = fork();
  if (child == 0) {
    // The daemon has the pipe too, so the pipe's end is the end of both.
    const auto daemon = FolderDaemon::start({folder.path(), "/data"});
    _exit(daemon && write(ends_of_pipe[1], "x", 1) == 1 && pause() ? 0 : 1);
  }
  close(ends_of_pipe[1]);
  char byte = 0;
  ASSERT_EQ(read(reader.get(), &byte, 1), 1);
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(ends(reader));
}

TEST_F(FolderDaemonTest, StartsForAFileAndReadOnly) {
  const auto file = folder.path() / "file";
  ASSERT_TRUE(write_text(file, "text"));
  EXPECT_TRUE(FolderDaemon::start({file, "/etc/file", VolumeKind::file}));
  EXPECT_TRUE(FolderDaemon::start({folder.path(), "/data", VolumeKind::folder, Transport::virtiofs, true}));
  EXPECT_EQ(*read_text(file), "text");
}

TEST(SharedFolders, NeverPutsAFolderThatCanBeChangedOn9pByItself) {
  auto folder = TemporaryFolder::create("ukl-share-test");
  ASSERT_TRUE(folder);
  MachineOptions options;
  options.machine = "microvm"; // takes no virtiofs without KVM
  options.accelerator = Accelerator::tcg;
  options.volumes = {{folder->path(), "/data"}};
  const auto refused = SharedFolders::start(options);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().failure, Failure::machine);
  EXPECT_THAT(refused.error().hint, HasSubstr(":9p"));

  options.volumes[0].transport = Transport::ninep;
  auto chosen = SharedFolders::start(options);
  ASSERT_TRUE(chosen);
  EXPECT_THAT(chosen->sockets(), testing::ElementsAre(-1));
  EXPECT_FALSE(chosen->guard().empty()) << "QEMU serves the files itself and needs a guard";
  EXPECT_EQ(SharedFolders::start(options).error().failure, Failure::volume_in_use);
}

TEST(SharedFolders, ReadsOver9pWhereVirtiofsCannotBe) {
  auto folder = TemporaryFolder::create("ukl-share-test");
  ASSERT_TRUE(folder);
  MachineOptions options;
  options.machine = "microvm";
  options.accelerator = Accelerator::tcg;
  options.volumes = {{folder->path(), "/data", VolumeKind::folder, Transport::automatic, true}};
  ASSERT_TRUE(SharedFolders::start(options));
  EXPECT_EQ(options.volumes[0].transport, Transport::ninep);
}

} // namespace
} // namespace ukl
