// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/oci_bundle.hpp"
#include "lifecycle/oci_container.hpp"
#include "support/files.hpp"

#include <csignal>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>
#include <sys/wait.h>

namespace ukl {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

class Bundle : public testing::Test {
protected:
  TemporaryFolder folder_ = *TemporaryFolder::create("bundle");

  Result<OciBundle> read(const std::string& config) {
    EXPECT_TRUE(write_text(folder_.path() / "config.json", config));
    return read_oci_bundle(folder_.path());
  }
};

TEST_F(Bundle, BecomesCommands) {
  ASSERT_TRUE(write_text(folder_.path() / "file", ""));
  const auto bundle = read(R"({
    "ociVersion": "1.0.2", "hostname": "box",
    "process": {"terminal": true, "user": {"uid": 1000, "gid": 100, "additionalGids": [4, 27]}, "args": ["sh", "-c", "exit 3"],
                "env": ["PATH=/bin", "A=b c"], "cwd": "/srv",
                "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 10, "hard": 20}]},
    "root": {"path": "rootfs", "readonly": true},
    "annotations": {"org.ukl.memory": "300M", "org.ukl.publish": "80:80 81:81", "other": "x"},
    "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"},
               {"destination": "/dev/shm", "type": "tmpfs", "source": "shm"},
               {"destination": "/tmp", "type": "tmpfs", "options": ["nosuid", "size=65536k"]},
               {"destination": "/run", "type": "tmpfs", "options": ["size=1048576"]},
               {"destination": "/etc", "type": "bind", "source": "/etc", "options": ["rbind", "ro"]},
               {"destination": "/one", "source": "file", "options": ["bind", "ro"]},
               {"destination": "/etc/hosts", "type": "bind", "source": "/etc/hosts"}],
    "linux": {"resources": {"memory": {"limit": 1}, "cpu": {"quota": 150000, "period": 100000}},
              "sysctl": {"net.core.somaxconn": "64"},
              "namespaces": [{"type": "pid"}, {"type": "network", "path": "/run/netns/a"}]}})");
  ASSERT_TRUE(bundle) << bundle.error().message;
  const auto root = folder_.path().string();
  EXPECT_THAT(bundle->pack,
              ElementsAre("dir:" + root + "/rootfs", "--hostname", "box", "--profile", "general", "--user",
                          "1000:100", "--group-add", "4", "--group-add", "27", "--cwd", "/srv", "--env",
                          "PATH=/bin", "--env", "A=b c", "--", "sh", "-c", "exit 3"));
  EXPECT_THAT(bundle->run, ElementsAre("--read-only", "-m", "300M", "-p", "80:80", "-p", "81:81", "--cpus",
                                       "2", "--sysctl", "net.core.somaxconn=64", "--tmpfs", "/tmp:65536K",
                                       "--tmpfs", "/run:1024K", "--volume", "/etc:/etc:ro", "--volume",
                                       root + "/file:/one:ro,file", "--limit", "nofile=10:20"));
  EXPECT_TRUE(bundle->terminal);
  EXPECT_EQ(bundle->network_namespace, "/run/netns/a");
  EXPECT_THAT(bundle->network_files, ElementsAre("--config", "/etc/hosts:/etc/hosts"));
  EXPECT_FALSE(bundle->only_holds_namespaces);
  EXPECT_TRUE(bundle->left_out.empty());
  EXPECT_EQ(bundle->notes.at("other"), "x");
}

TEST_F(Bundle, WithoutANetwork) {
  const auto bundle = read(R"({"process": {"args": ["a"]}, "root": {"path": "/"},
                               "linux": {"namespaces": [{"type": "network"}]}})");
  ASSERT_TRUE(bundle);
  EXPECT_THAT(bundle->run, ElementsAre("--network", "none"));
  EXPECT_THAT(bundle->pack,
              ElementsAre("dir:/", "--profile", "general", "--user", "0:0", "--cwd", "/", "--", "a"));
}

TEST_F(Bundle, ThatOnlyHoldsNamespaces) {
  const auto holds = [&](const std::string& args, const std::string& annotations) {
    const auto bundle = read(R"({"process": {"args": [)" + args +
                             R"(]}, "root": {"path": "/"}, "annotations": {)" + annotations + "}}");
    return bundle && bundle->only_holds_namespaces;
  };
  EXPECT_TRUE(holds(R"("/pause")", ""));
  EXPECT_TRUE(holds(R"("/catatonit", "-P")", ""));
  EXPECT_TRUE(holds(R"("any")", R"("io.kubernetes.cri.container-type": "sandbox")"));
  EXPECT_FALSE(holds(R"("any")", R"("io.kubernetes.cri.container-type": "container")"));
  EXPECT_FALSE(holds(R"("/catatonit", "--", "any")", ""));
}

TEST_F(Bundle, AFurtherProcess) {
  const auto file = folder_.path() / "process.json";
  ASSERT_TRUE(write_text(file, R"({"args": ["ls", "-l"], "env": ["A=b"], "cwd": "/srv", "terminal": true})"));
  const auto process = read_oci_process(file);
  ASSERT_TRUE(process) << process.error().message;
  EXPECT_THAT(process->options, ElementsAre("--user", "0:0", "--workdir", "/srv", "--env", "A=b"));
  EXPECT_THAT(process->command, ElementsAre("ls", "-l"));
  EXPECT_TRUE(process->terminal);
  ASSERT_TRUE(write_text(file, "{}"));
  EXPECT_EQ(read_oci_process(file).error().failure, Failure::usage);
}

TEST_F(Bundle, SaysWhatIsWrong) {
  for (const auto* text : {"", "[]", "{}", R"({"process": {"args": "a"}, "root": {}})",
                           R"({"process": {"args": [1]}, "root": {"path": "/"}})"}) {
    const auto bundle = read(text);
    ASSERT_FALSE(bundle) << text;
    EXPECT_EQ(bundle.error().failure, Failure::usage);
    EXPECT_THAT(bundle.error().message, HasSubstr("config.json"));
  }
  EXPECT_THAT(read(R"({"process": {"args": ["a"]}, "root": {"path": "/"}, "annotations": {"org.ukl.x": ""}})")
                  .error()
                  .message,
              HasSubstr("no annotation org.ukl.x"));
  EXPECT_THAT(read(R"({"process": {"args": ["a"]}, "root": {"path": "/"},
                       "mounts": [{"destination": "/a", "type": "nfs", "source": "b"}]})")
                  .error()
                  .message,
              HasSubstr("no mounts of type nfs"));
}

std::string state_of(const std::filesystem::path& root, const std::string& id) {
  const auto container = OciContainer::open(root, id);
  return container ? nlohmann::json::parse(container->state())["status"].get<std::string>() : "none";
}

TEST(OciContainer, WaitsForItsStart) {
  auto folder = *TemporaryFolder::create("oci");
  const auto& root = folder.path();
  auto container = OciContainer::create(root, "a");
  ASSERT_TRUE(container);
  EXPECT_EQ(OciContainer::create(root, "a").error().failure, Failure::name_in_use);
  EXPECT_EQ(OciContainer::create(root, "../a").error().failure, Failure::usage);
  ASSERT_TRUE(container->fork_process({"/bin/sh", "-c", "sleep 0.2; exit 7"}, [] { return true; }));
  ASSERT_TRUE(container->write({"/bundle", {{"k", "v"}}, "/machines", "/run/netns/a", {"eth0"}}));
  EXPECT_EQ(state_of(root, "a"), "created");
  const auto known = OciContainer::open(root, "a");
  EXPECT_EQ(known->facts().machines, "/machines");
  EXPECT_EQ(known->facts().network_namespace, "/run/netns/a");
  EXPECT_THAT(known->facts().interfaces, ElementsAre("eth0"));
  ASSERT_TRUE(known->start());
  EXPECT_EQ(state_of(root, "a"), "running");
  EXPECT_FALSE(known->start());
  EXPECT_TRUE(known->wait(milliseconds(10000))); // although nobody has reaped it
  EXPECT_EQ(state_of(root, "a"), "stopped");
  int status = 0;
  ASSERT_EQ(waitpid(container->pid(), &status, 0), container->pid());
  EXPECT_EQ(WEXITSTATUS(status), 7);
  EXPECT_FALSE(known->kill(SIGTERM));
  known->remove();
  EXPECT_EQ(state_of(root, "a"), "none");
}

TEST(OciContainer, CanBeKilledBeforeItsStart) {
  auto folder = *TemporaryFolder::create("oci");
  auto container = OciContainer::create(folder.path(), "a");
  ASSERT_TRUE(container->fork_process({"/bin/true"}, [] { return true; }));
  EXPECT_TRUE(container->kill(SIGTERM));
  EXPECT_TRUE(container->wait(milliseconds(10000)));
  EXPECT_FALSE(container->start());
  waitpid(container->pid(), nullptr, 0);
}

} // namespace
} // namespace ukl
