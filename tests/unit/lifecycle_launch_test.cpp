// SPDX-License-Identifier: GPL-2.0-only
// Machines that look after themselves, with functions in place of QEMU.
#include "lifecycle/attach_protocol.hpp"
#include "lifecycle/launch.hpp"
#include "lifecycle/log.hpp"
#include "lifecycle/machine_terminal.hpp"
#include "machine/host_streams.hpp"
#include "support/packets.hpp"

#include <csignal>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace ukl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

MachineEnd ended(int status) {
  MachineEnd end;
  end.status = status;
  return end;
}

class Launch : public testing::Test {
protected:
  TemporaryFolder folder_ = *TemporaryFolder::create("launch");
  RecordedPlan plan_;

  Launch() {
    plan_.name = "web";
    plan_.detached = true;
  }
  ~Launch() override {
    if (const auto left = known_machine(folder_.path(), "web"))
      kill_machine(*left);
    while (waitpid(-1, nullptr, WNOHANG) > 0) {
    }
  }

  Result<void> start(std::function<Result<MachineEnd>(const MachineNews&)> run, const std::string& ready = "",
                     const std::string& restart = "no") {
    auto record = MachineRecord::create(folder_.path(), plan_);
    if (!record)
      return record.error();
    return launch({std::move(*record), *RestartPolicy::parse(restart), 1 << 20, "24 80 0 0", std::move(run)},
                  *Readiness::parse(ready, {}));
  }
  KnownMachine web() const { return *known_machine(folder_.path(), "web"); }
  KnownMachine ended_web() const {
    EXPECT_TRUE(wait_for_end(web(), seconds(20)));
    return web();
  }
  std::vector<std::string> log() const {
    std::vector<std::string> lines;
    EXPECT_TRUE(read_log(web(), {}, [&](const LogEntry& entry) { lines.emplace_back(entry.text); }));
    return lines;
  }
};

void say(int descriptor, std::string_view text) {
  ASSERT_EQ(write(descriptor, text.data(), text.size()), static_cast<ssize_t>(text.size()));
}

TEST_F(Launch, KeepsLogAndStatus) {
  ASSERT_TRUE(start([](const MachineNews& news) -> Result<MachineEnd> {
    news("started");
    say(1, "to output\n");
    say(2, "to error");
    return ended(7);
  }));
  const auto machine = ended_web();
  EXPECT_EQ(machine.state.status, 7);
  EXPECT_EQ(machine.state.sentence, "Exited (7)");
  EXPECT_EQ(machine.phase(), "exited");
  EXPECT_THAT(log(), testing::UnorderedElementsAre("to output", "to error"));
}

TEST_F(Launch, AVerdictSaysMoreThanAStatus) {
  ASSERT_TRUE(start([](const MachineNews& news) -> Result<MachineEnd> {
    news("started");
    news("verdict Out of memory in the guest: memcached, 240 MiB");
    return ended(137);
  }));
  EXPECT_EQ(ended_web().state.sentence, "Out of memory in the guest: memcached, 240 MiB");
}

TEST_F(Launch, WhatKeepsAMachineFromRunningIsTheStartersError) {
  const auto launched = start([](const MachineNews&) -> Result<MachineEnd> {
    return Error{Failure::missing_tool, "QEMU is not installed", "apt-get install qemu-system-x86"};
  });
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().failure, Failure::missing_tool);
  EXPECT_EQ(launched.error().message, "QEMU is not installed");
  EXPECT_EQ(launched.error().hint, "apt-get install qemu-system-x86");
  EXPECT_EQ(ended_web().state.sentence, "QEMU is not installed");
}

TEST_F(Launch, WaitsForAPort) {
  const auto begun = std::chrono::steady_clock::now();
  ASSERT_TRUE(start(
      [](const MachineNews& news) -> Result<MachineEnd> {
        news("started");
        std::this_thread::sleep_for(milliseconds(200));
        news("listening 80");
        pause();
        return ended(0);
      },
      "tcp:80"));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(200));
  EXPECT_EQ(web().phase(), "running");
}

TEST_F(Launch, WaitsForALine) {
  ASSERT_TRUE(start(
      [](const MachineNews& news) -> Result<MachineEnd> {
        news("started");
        say(2, "one\nnow rea");
        std::this_thread::sleep_for(milliseconds(50));
        say(2, "dy to go\n");
        pause();
        return ended(0);
      },
      "log:^now ready"));
  EXPECT_THAT(log(), ElementsAre("one", "now ready to go"));
}

TEST_F(Launch, OneThatIsNotReadyInTimeIsStopped) {
  const auto launched = start(
      [](const MachineNews& news) -> Result<MachineEnd> {
        news("started");
        pause(); // until SIGTERM
        return ended(0);
      },
      "tcp:80,0.2");
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().failure, Failure::not_ready);
  EXPECT_FALSE(web().alive);
}

TEST_F(Launch, OneThatEndsBeforeItIsReadyIsAnError) {
  const auto launched = start(
      [](const MachineNews& news) -> Result<MachineEnd> {
        news("started");
        return ended(3);
      },
      "tcp:80");
  ASSERT_FALSE(launched);
  EXPECT_EQ(launched.error().failure, Failure::not_ready);
  EXPECT_THAT(launched.error().message, HasSubstr("Exited (3)"));
}

TEST_F(Launch, StartsAgainAsOftenAsAsked) {
  ASSERT_TRUE(start(
      [](const MachineNews& news) -> Result<MachineEnd> {
        news("started");
        say(1, "again\n");
        return ended(1);
      },
      "", "on-failure:2"));
  const auto machine = ended_web();
  EXPECT_EQ(machine.state.restarts, 2u);
  EXPECT_THAT(log(), ElementsAre("again", "again", "again"));
}

TEST_F(Launch, OneThatWasAskedToStopIsNotStartedAgain) {
  ASSERT_TRUE(start(
      [](const MachineNews& news) -> Result<MachineEnd> {
        news("started");
        pause();
        return ended(1);
      },
      "", "always"));
  ASSERT_TRUE(ask_to_stop(web()));
  ASSERT_TRUE(send_signal(web(), SIGTERM));
  EXPECT_EQ(ended_web().state.restarts, 0u);
}

TEST_F(Launch, AKilledMachineIsTold) {
  ASSERT_TRUE(start([](const MachineNews& news) -> Result<MachineEnd> {
    news("started");
    pause();
    return ended(0);
  }));
  ASSERT_TRUE(send_signal(web(), SIGKILL));
  const auto machine = ended_web();
  EXPECT_EQ(machine.state.sentence, "Killed by the host");
  EXPECT_EQ(machine.state.status, 128 + SIGKILL);
}

TEST_F(Launch, NothingIsLeftWhenTheKeeperIsKilled) {
  ASSERT_TRUE(start([](const MachineNews& news) -> Result<MachineEnd> {
    news("started");
    pause();
    return ended(0);
  }));
  const auto before = web();
  kill(before.state.keeper, SIGKILL);
  const auto machine = ended_web(); // the machine's process holds the lock, too
  EXPECT_EQ(machine.sentence(now()), "Killed by the host");
  // Whoever reaps it may take its time.
  const auto line = read_text(fmt::format("/proc/{}/cmdline", before.state.pid));
  EXPECT_TRUE(!line || line->empty());
}

TEST_F(Launch, OneThatLeavesNothingLeavesNothing) {
  plan_.remove = true;
  ASSERT_TRUE(start([](const MachineNews& news) -> Result<MachineEnd> {
    news("started");
    return ended(0);
  }));
  while (std::filesystem::exists(folder_.path() / "web"))
    std::this_thread::sleep_for(milliseconds(5));
  EXPECT_TRUE(known_machines(folder_.path()).empty());
}

TEST_F(Launch, ItsStreamsCanBeAttachedTo) {
  plan_.interactive = true;
  ASSERT_TRUE(start([](const MachineNews& news) -> Result<MachineEnd> {
    news("started");
    char line[64];
    const ssize_t got = read(0, line, sizeof line);
    say(1, std::string("got ") + std::string(line, static_cast<std::size_t>(std::max<ssize_t>(got, 0))));
    return ended(read(0, line, sizeof line) == 0 ? 5 : 1);
  }));
  const auto socket = connect_for_packets(folder_.path() / "web" / attach::kSocket);
  ASSERT_TRUE(socket);
  send_packet(socket->get(), attach::kInput, "hello\n");
  send_packet(socket->get(), attach::kInputEnd, {});
  std::string all;
  char packet[kLongestPacket];
  for (ssize_t got; (got = recv(socket->get(), packet, sizeof packet, 0)) > 0;)
    all += "|" + std::string(packet, static_cast<std::size_t>(got));
  EXPECT_EQ(all, "|ogot hello\n|x5 Exited (5)");
}

TEST_F(Launch, ALogThatFindsNoRoomIsTheLogsAlone) {
  // Whoever writes over this limit gets SIGXFSZ: the log's writer, which has nothing to do with the program.
  rlimit before = {};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small = {16384, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const auto started = start([](const MachineNews& news) -> Result<MachineEnd> {
    news("started");
    for (int line = 0; line < 1000; ++line)
      say(1, std::string(63, 'x') + "\n");
    std::this_thread::sleep_for(milliseconds(100)); // a signal would come now
    return ended(7);
  });
  setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_TRUE(started);
  const auto machine = ended_web();
  EXPECT_EQ(machine.state.sentence, "Exited (7)");
  EXPECT_TRUE(machine.state.log_is_incomplete);
  EXPECT_GT(log().size(), 100u);
}

// What comes until it holds `text`.
std::string read_until(int socket, const std::string& text) {
  std::string all;
  char packet[kLongestPacket];
  while (all.find(text) == std::string::npos) {
    const ssize_t got = recv(socket, packet, sizeof packet, 0);
    if (got <= 0)
      return all + "|the end";
    all.append(packet + 1, static_cast<std::size_t>(got) - 1);
  }
  return all;
}

TEST_F(Launch, ATerminalCanBeAttachedTo) {
  plan_.interactive = plan_.terminal = true;
  ASSERT_TRUE(start([](const MachineNews& news) -> Result<MachineEnd> {
    sigset_t resized;
    sigemptyset(&resized);
    sigaddset(&resized, SIGWINCH);
    sigprocmask(SIG_BLOCK, &resized, nullptr);
    news("started");
    const auto size = [] { return window_size(0, 'x'); };
    say(1, fmt::format("first\n{}{}{} {} ", isatty(0), isatty(1), isatty(2), size()));
    int signal = 0;
    sigwait(&resized, &signal);
    say(2, "then " + size());
    char line[64];
    const ssize_t got = read(0, line, sizeof line);
    say(1, " got " + std::string(line, static_cast<std::size_t>(std::max<ssize_t>(got, 0))));
    return ended(read(0, line, sizeof line) > 0 ? 5 : 1);
  }));
  while (log().empty()) // its first line
    std::this_thread::sleep_for(milliseconds(5));
  const auto first = connect_for_packets(folder_.path() / "web" / attach::kSocket);
  ASSERT_TRUE(first);
  send_packet(first->get(), attach::kJoin, "31 97 0 0");
  // What stood in the line before it came, and only that.
  const auto joined = read_until(first->get(), "then");
  EXPECT_THAT(joined, testing::StartsWith("111 24x80x0x0 "));
  EXPECT_THAT(joined, HasSubstr("then 31x97x0x0"));
  send_packet(first->get(), attach::kInput, "hello\n");
  EXPECT_THAT(read_until(first->get(), "got "), HasSubstr("got hello"));
  // Who leaves a terminal does not end its input.
  send_packet(first->get(), attach::kInputEnd, {});
  const auto second = connect_for_packets(folder_.path() / "web" / attach::kSocket);
  ASSERT_TRUE(second);
  send_packet(second->get(), attach::kInput, "again\n");
  EXPECT_EQ(ended_web().state.status, 5);
}

TEST(UnfinishedLine, IsWhatTheCursorStandsBehind) {
  UnfinishedLine line;
  line.add("one\ntw");
  line.add("o");
  EXPECT_EQ(line.text(), "two");
  line.add("\r\n# ");
  EXPECT_EQ(line.text(), "# ");
  line.add(std::string(10000, 'x') + "$");
  EXPECT_EQ(line.text().size(), 4096u);
  EXPECT_TRUE(line.text().ends_with("x$"));
}

} // namespace
} // namespace ukl
