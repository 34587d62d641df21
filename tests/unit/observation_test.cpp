// SPDX-License-Identifier: GPL-2.0-only
// What is seen of machines from outside: metrics, and what a debugger has to know.
#include "lifecycle/debug_view.hpp"
#include "lifecycle/metrics.hpp"
#include "lifecycle/metrics_server.hpp"
#include "machine/monitor_socket.hpp"

#include <csignal>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <thread>

namespace ukl {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;

KnownMachine machine(const std::string& name) {
  KnownMachine known;
  known.plan.name = name;
  known.plan.image = "/srv/web.ukl";
  known.plan.memory = 256 << 20;
  return known;
}

TEST(Metrics, OfOneThatRuns) {
  auto web = machine("web");
  web.plan.project = "shop";
  web.alive = true;
  web.state.phase = MachineState::Phase::running;
  web.state.qemu = 1;
  web.state.started = Moment(std::chrono::milliseconds(1500));
  web.state.restarts = 2;
  Usage usage;
  usage.cpu = std::chrono::milliseconds(2500);
  usage.memory = 1 << 20;
  const auto text = prometheus_text({{web, usage}});
  const std::string labels = "{name=\"web\",project=\"shop\",image=\"web.ukl\"} ";
  EXPECT_THAT(text, HasSubstr("# TYPE ukl_machine_cpu_seconds_total counter\nukl_machine_cpu_seconds_total" +
                              labels + "2.5\n"));
  EXPECT_THAT(text, HasSubstr("ukl_machine_up" + labels + "1\n"));
  EXPECT_THAT(text, HasSubstr("ukl_machine_start_time_seconds" + labels + "1.5\n"));
  EXPECT_THAT(text, HasSubstr("ukl_machine_memory_bytes" + labels + "1048576\n"));
  EXPECT_THAT(text, HasSubstr("ukl_machine_restarts_total" + labels + "2\n"));
  EXPECT_THAT(text, Not(HasSubstr("ukl_machine_exit_status{")));
}

TEST(Metrics, OfOneThatHasEnded) {
  auto web = machine("web");
  web.plan.image = "/srv/a \"b\\c\n.ukl";
  web.state.phase = MachineState::Phase::ended;
  web.state.status = 137;
  const auto text = prometheus_text({{web, {}}});
  EXPECT_THAT(
      text,
      HasSubstr("ukl_machine_exit_status{name=\"web\",project=\"\",image=\"a \\\"b\\\\c\\n.ukl\"} 137\n"));
  EXPECT_THAT(text, HasSubstr("ukl_machine_up{"));
  EXPECT_THAT(text, Not(HasSubstr("ukl_machine_memory_bytes{")));
}

TEST(DebugView, CodeOfMaps) {
  EXPECT_THAT(
      code_in_maps("555555554000-555555556000 r--p 00000000 00:02 17   /usr/bin/web server\n"
                   "555555556000-555555558000 r-xp 00002000 00:02 17   /usr/bin/web server\n"
                   "555555558000-555555559000 r-xp 00004000 00:02 17   /usr/bin/web server\n"
                   "7ffff7000000-7ffff7100000 r--p 00000000 00:02 18   /usr/share/data\n"
                   "7ffff7d00000-7ffff7e00000 r-xp 00000000 00:02 19   /lib/libc.so.6\n"
                   "7ffff7ff0000-7ffff7ff1000 r-xp 00000000 00:00 0    [vdso]\n"
                   "7ffff7ff8000-7ffff7ff9000 rwxp 00000000 00:00 0\n"),
      ElementsAre(Pair("/usr/bin/web server", 0x555555554000), Pair("/lib/libc.so.6", 0x7ffff7d00000)));
  EXPECT_TRUE(code_in_maps("").empty());
}

TEST(DebugView, Commands) {
  EXPECT_EQ(symbol_commands({{"/k/vmlinux", 0x1a00000}, {"/t/web", 0}}),
            "add-symbol-file /k/vmlinux -o 0x1a00000\nadd-symbol-file /t/web -o 0x0\n");
}

// A monitor that a test plays: it answers each line by the next of these, and ends.
class PlayedMonitor {
public:
  PlayedMonitor(const std::filesystem::path& folder, std::vector<std::string> answers)
      : listener_(*listen_for_monitor(folder)),
        thread_([this, answers = std::move(answers)] { play(answers); }) {}
  ~PlayedMonitor() { thread_.join(); }
  std::string heard() {
    thread_.join();
    thread_ = std::thread([] {});
    return heard_;
  }

private:
  void play(const std::vector<std::string>& answers) {
    const FileDescriptor client(accept(listener_.get(), nullptr, nullptr));
    std::size_t lines = 0;
    for (const auto& answer : answers) {
      EXPECT_EQ(send(client.get(), answer.data(), answer.size(), MSG_NOSIGNAL),
                static_cast<ssize_t>(answer.size()));
      char buffer[4096];
      for (++lines; std::ranges::count(heard_, '\n') < static_cast<std::ptrdiff_t>(lines);) {
        const ssize_t got = recv(client.get(), buffer, sizeof buffer, 0);
        if (got <= 0)
          return;
        heard_.append(buffer, static_cast<std::size_t>(got));
      }
    }
  }

  FileDescriptor listener_;
  std::string heard_;
  std::thread thread_;
};

TEST(QemuClient, AsksPastEvents) {
  auto folder = *TemporaryFolder::create("monitor");
  PlayedMonitor monitor(folder.path(), {"{\"QMP\": {}}\r\n", "{\"return\": {}}\r\n",
                                        "{\"event\": \"STOP\"}\r\n{\"return\": \"0: 0x7\\r\\n\"}\r\n",
                                        "{\"error\": {\"class\": \"x\", \"desc\": \"no such device\"}}\r\n"});
  auto web = machine("web");
  web.folder = folder.path();
  EXPECT_EQ(QemuClient::connect(web).error().failure, Failure::no_such_machine); // it does not run
  web.alive = true;
  web.state.qemu = 1;
  auto qemu = QemuClient::connect(web);
  ASSERT_TRUE(qemu) << qemu.error().message;
  EXPECT_EQ(*qemu->human("x /1gx \"0\""), "0: 0x7\r\n");
  EXPECT_EQ(qemu->execute("chardev-remove", "{\"id\":\"a\"}").error().message, "QEMU of web: no such device");
  // It ends.
  EXPECT_EQ(qemu->execute("cont").error().message, "web has ended");
  EXPECT_THAT(monitor.heard(),
              HasSubstr("{\"execute\":\"human-monitor-command\",\"arguments\":{\"command-line\":"
                        "\"x /1gx \\\"0\\\"\"}}\n"));
}

TEST(MetricsServer, UnderstandsAddresses) {
  for (const auto* text : {"0", "127.0.0.1:0", "[::1]:0"})
    EXPECT_TRUE(listen_for_http(text)) << text;
  for (const auto* text : {"", "web", "localhost:1", "1.2.3.4:", "1:2:3"})
    EXPECT_EQ(listen_for_http(text).error().failure, Failure::usage) << text;
}

} // namespace
} // namespace ukl
