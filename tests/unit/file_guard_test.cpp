// SPDX-License-Identifier: GPL-2.0-only
#include "machine/file_guard.hpp"
#include "support/files.hpp"

#include <cerrno>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ukl {
namespace {

class FileGuardTest : public testing::Test {
protected:
  TemporaryFolder folder = std::move(*TemporaryFolder::create("ukl-guard-test"));
  std::string file = (folder.path() / "file").string(), other = (folder.path() / "other").string();

  void SetUp() override { ASSERT_TRUE(write_text(file, "text")); }

  // The number of the first of `trials` that does not give what it should, in a child under the guard; 0: all
  // do.
  template <typename Trials> int first_wrong(const FileGuard& guard, Trials trials) {
    const auto filter = file_guard_filter(guard);
    const pid_t child = fork();
    if (child == 0)
      _exit(enter_file_guard(filter) == 0 ? trials() : 99);
    int status = 0;
    waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
};

bool refused(long result, int error) {
  return result == -1 && errno == error;
}

TEST_F(FileGuardTest, GivesNoPower) {
  EXPECT_EQ(first_wrong(
                {},
                [&] {
                  const int fd = open(file.c_str(), O_RDWR);
                  if (!refused(chmod(file.c_str(), 04755), EPERM) || !refused(fchmod(fd, 02755), EPERM))
                    return 1;
                  if (!refused(fchmodat(AT_FDCWD, file.c_str(), 06755, 0), EPERM))
                    return 2;
                  if (!refused(open(other.c_str(), O_CREAT | O_RDWR, 04755), EPERM) ||
                      !refused(creat(other.c_str(), 04755), EPERM))
                    return 3;
                  if (!refused(open(folder.path().c_str(), O_TMPFILE | O_RDWR, 04755), EPERM))
                    return 4;
                  if (!refused(mknod(other.c_str(), S_IFCHR | 0600, makedev(1, 3)), EPERM) ||
                      !refused(mknod(other.c_str(), S_IFBLK | 0600, makedev(1, 3)), EPERM) ||
                      !refused(mknod(other.c_str(), S_IFREG | 04755, 0), EPERM))
                    return 5;
                  // fchmodat2, which a later kernel has, and the ways that hide their arguments.
                  if (syscall(452, AT_FDCWD, file.c_str(), 04755, 0) != -1 ||
                      !refused(syscall(SYS_openat2), ENOSYS) || !refused(syscall(SYS_io_uring_setup), ENOSYS))
                    return 6;
                  // A mode without a file to be made is no mode.
                  if (syscall(SYS_openat, AT_FDCWD, file.c_str(), O_RDONLY, 04755) < 0)
                    return 7;
                  return 0;
                }),
            0);
  struct stat status;
  ASSERT_EQ(stat(file.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 06000, 0u);
  EXPECT_NE(access(other.c_str(), F_OK), 0);
}

TEST_F(FileGuardTest, LetsOrdinaryWorkBe) {
  EXPECT_EQ(first_wrong({},
                        [&] {
                          if (chmod(file.c_str(), 01755) != 0 || mkfifo(other.c_str(), 0600) != 0 ||
                              unlink(other.c_str()) != 0)
                            return 1;
                          const int fd = open(other.c_str(), O_CREAT | O_RDWR | O_EXCL, 0644);
                          return write(fd, "x", 1) == 1 && ftruncate(fd, 10) == 0 &&
                                         rename(other.c_str(), file.c_str()) == 0
                                     ? 0
                                     : 2;
                        }),
            0);
}

TEST_F(FileGuardTest, KeepsWhatIsReadOnly) {
  EXPECT_EQ(first_wrong({.read_only = true, .keep_groups = false},
                        [&] {
                          if (!refused(open(file.c_str(), O_WRONLY), EROFS) ||
                              !refused(open(file.c_str(), O_RDWR | O_TRUNC), EROFS) ||
                              !refused(open(other.c_str(), O_CREAT | O_RDWR, 0600), EROFS))
                            return 1;
                          const int fd = open(file.c_str(), O_RDWR); // for its locks
                          if (fd < 0 || !refused(pwrite(fd, "x", 1, 0), EROFS) ||
                              !refused(ftruncate(fd, 0), EROFS) ||
                              !refused(fallocate(fd, 0, 0, 100), EROFS) || !refused(fchmod(fd, 0777), EROFS))
                            return 2;
                          if (!refused(unlink(file.c_str()), EROFS) ||
                              !refused(rename(file.c_str(), other.c_str()), EROFS) ||
                              !refused(mkdir(other.c_str(), 0755), EROFS) ||
                              !refused(link(file.c_str(), other.c_str()), EROFS) ||
                              !refused(symlink("x", other.c_str()), EROFS) ||
                              !refused(truncate(file.c_str(), 0), EROFS) ||
                              !refused(mkfifo(other.c_str(), 0600), EROFS) ||
                              !refused(chown(file.c_str(), 0, 0), EROFS))
                            return 3;
                          char text[5] = {};
                          return pread(fd, text, 4, 0) == 4 && std::string(text) == "text" ? 0 : 4;
                        }),
            0);
  EXPECT_EQ(*read_text(file), "text");
}

} // namespace
} // namespace ukl
