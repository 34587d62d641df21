// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/systemd_unit.hpp"
#include "support/process.hpp"

#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace ukl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(SystemdUnit, LeavesOutWhatSystemdDoes) {
  EXPECT_THAT(foreground_command({"/usr/bin/ukl", "run", "-dit", "--rm", "--restart=always", "--name", "web",
                                  "--wait-ready", "tcp:80", "--tty", "-i", "web.ukl", "-p", "80:80", "--",
                                  "-d", "--rm"}),
              ElementsAre("/usr/bin/ukl", "run", "web.ukl", "-p", "80:80", "--", "-d", "--rm"));
}

RecordedPlan plan() {
  RecordedPlan plan;
  plan.name = "web";
  plan.folder = "/srv/my site";
  plan.restart = "on-failure:3";
  plan.command = {"/usr/bin/ukl", "run", "-d", "web.ukl", "--", "50%", "$HOME", "two words", "a\"b"};
  return plan;
}

TEST(SystemdUnit, QuotesAsSystemdReads) {
  const auto unit = systemd_unit(plan());
  EXPECT_THAT(
      unit,
      HasSubstr("ExecStart=/usr/bin/ukl run --name web web.ukl -- 50%% $$HOME \"two words\" \"a\\\"b\"\n"));
  EXPECT_THAT(unit, HasSubstr("WorkingDirectory=/srv/my site\n"));
  EXPECT_THAT(unit, HasSubstr("\nRestart=on-failure\n"));
}

TEST(SystemdUnit, SystemdFindsNoFaultWithIt) {
  if (run_command({"which", "systemd-analyze"})->status != 0)
    GTEST_SKIP() << "systemd-analyze is not installed";
  auto folder = *TemporaryFolder::create("unit");
  auto simple = plan();
  simple.folder = "/tmp";
  simple.command[0] = "/bin/true"; // systemd-analyze looks for it
  ASSERT_TRUE(write_text(folder.path() / "web.service", systemd_unit(simple)));
  const auto checked = run_command({"systemd-analyze", "verify", (folder.path() / "web.service").string()});
  EXPECT_THAT(checked->text, testing::Not(HasSubstr("web.service"))) << checked->text;
}

TEST(SystemdUnit, SystemdIsTold) {
  auto folder = *TemporaryFolder::create("notify");
  const auto path = (folder.path() / "notify").string();
  const FileDescriptor fd(socket(AF_UNIX, SOCK_DGRAM, 0));
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  ASSERT_EQ(bind(fd.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  notify_systemd(path, "READY=1");
  char buffer[64] = {};
  EXPECT_EQ(recv(fd.get(), buffer, sizeof buffer, MSG_DONTWAIT), 7);
  EXPECT_STREQ(buffer, "READY=1");
  notify_systemd("", "READY=1"); // nobody waits
}

} // namespace
} // namespace ukl
