// SPDX-License-Identifier: GPL-2.0-only
#include "support/if_killed.hpp"

#include <csignal>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

namespace ukl {
namespace {

class IfKilledTest : public testing::Test {
protected:
  void SetUp() override {
    ASSERT_EQ(pipe2(ends_, O_CLOEXEC), 0);
    read_end_ = FileDescriptor(ends_[0]);
  }

  // A child that has one, and then does `end`.
  void run_child(const std::function<void()>& end) {
    const pid_t pid = fork();
    if (pid == 0) {
      setpgid(0, 0);
      {
        const auto guard = IfKilled::start([&] { (void)!write(ends_[1], "x", 1); });
        if (guard)
          end();
      }
      _exit(0);
    }
    close(ends_[1]);
    waitpid(pid, nullptr, 0);
  }

  // What came until all who could write are gone.
  std::string written() const {
    std::string text;
    char one;
    pollfd event = {read_end_.get(), POLLIN, 0};
    while (poll(&event, 1, 10000) > 0 && read(read_end_.get(), &one, 1) > 0)
      text += one;
    return text;
  }

  int ends_[2] = {-1, -1};
  FileDescriptor read_end_;
};

TEST_F(IfKilledTest, ActsOnceItsProcessIsKilled) {
  run_child([] { kill(getpid(), SIGKILL); });
  EXPECT_EQ(written(), "x");
}

TEST_F(IfKilledTest, ActsAlsoIfTheWholeGroupIsKilled) {
  run_child([] {
    usleep(200'000); // so that the copy has left the group
    kill(0, SIGKILL);
  });
  EXPECT_EQ(written(), "x");
}

TEST_F(IfKilledTest, DoesNothingIfItIsOver) {
  run_child([] {});
  EXPECT_EQ(written(), "");
}

} // namespace
} // namespace ukl
