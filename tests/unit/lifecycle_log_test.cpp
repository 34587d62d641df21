// SPDX-License-Identifier: GPL-2.0-only
#include "lifecycle/log.hpp"
#include "lifecycle/readiness.hpp"
#include "lifecycle/restart_policy.hpp"

#include <fmt/format.h>
#include <fstream>
#include <gmock/gmock.h>
#include <thread>

namespace ukl {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

class LifecycleLog : public testing::Test {
protected:
  TemporaryFolder folder_ = *TemporaryFolder::create("log");

  KnownMachine machine() const {
    KnownMachine machine;
    machine.folder = folder_.path();
    machine.plan.name = "web";
    machine.plan.detached = true;
    return machine;
  }

  std::vector<std::string> read(const LogRequest& request) const {
    std::vector<std::string> lines;
    EXPECT_TRUE(read_log(machine(), request, [&](const LogEntry& entry) {
      lines.push_back(fmt::format("{}{}{}", entry.stream == LogStream::output ? 'o' : 'e',
                                  entry.whole ? ' ' : '-', entry.text));
    }));
    return lines;
  }
};

TEST_F(LifecycleLog, KeepsLinesOfBothStreams) {
  auto log = MachineLog::open(folder_.path(), 1 << 20);
  ASSERT_TRUE(log);
  log->add(LogStream::output, "one\ntw", now());
  log->add(LogStream::error, "wrong\n", now());
  log->add(LogStream::output, "o\n\nrest", now());
  log->finish(now());
  EXPECT_FALSE(log->is_incomplete());
  EXPECT_THAT(read({}), ElementsAre("o one", "e wrong", "o two", "o ", "o-rest"));
  EXPECT_THAT(read({2, "", false}), ElementsAre("o ", "o-rest"));
  EXPECT_THAT(read({0, "", false}), ElementsAre());
}

TEST_F(LifecycleLog, IsInTheFormThatOthersRead) {
  MachineLog::open(folder_.path(), 1 << 20)
      ->add(LogStream::error, "text\r\n", Moment(milliseconds(1764152430123)));
  std::ifstream file(folder_.path() / "log");
  std::string line;
  std::getline(file, line);
  EXPECT_EQ(line, "2025-11-26T10:20:30.123Z stderr F text");
}

TEST_F(LifecycleLog, LongLinesComeInPieces) {
  const std::string line(40000, 'x');
  auto log = MachineLog::open(folder_.path(), 1 << 20);
  log->add(LogStream::output, line + "\n", now());
  std::string joined;
  std::vector<bool> ends;
  ASSERT_TRUE(read_log(machine(), {}, [&](const LogEntry& entry) {
    joined += entry.text;
    ends.push_back(entry.whole);
  }));
  EXPECT_EQ(joined, line);
  EXPECT_THAT(ends, ElementsAre(false, false, true));
}

TEST_F(LifecycleLog, IsBounded) {
  constexpr std::uint64_t most = 64 << 10;
  auto log = MachineLog::open(folder_.path(), most);
  for (int count = 0; count < 10000; ++count)
    log->add(LogStream::output, fmt::format("line {}\n", count), now());
  std::uintmax_t size = 0;
  for (const auto* name : {"log", "log.1"})
    size += std::filesystem::file_size(folder_.path() / name);
  EXPECT_LE(size, most);
  EXPECT_GT(size, most / 4);
  const auto lines = read({});
  EXPECT_EQ(lines.back(), "o line 9999");
  // What is kept has no gap.
  EXPECT_EQ(lines.size(), 10000u - static_cast<std::size_t>(std::atoi(lines.front().c_str() + 7)));
}

TEST_F(LifecycleLog, SinceATime) {
  auto log = MachineLog::open(folder_.path(), 1 << 20);
  log->add(LogStream::output, "old\n", now() - std::chrono::hours(1));
  log->add(LogStream::output, "new\n", now());
  LogRequest request;
  request.since = *parse_since("10m", now());
  EXPECT_THAT(read(request), ElementsAre("o new"));
  EXPECT_EQ(*parse_since("1h30m", Moment(seconds(7200))), "1970-01-01T00:30:00.000Z");
  EXPECT_EQ(*parse_since("90", Moment(seconds(90))), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(*parse_since("2026-11-26T10:00:00Z", now()), "2026-11-26T10:00:00Z");
  for (const auto* text : {"", "x", "10x", "m", "1h-3"})
    EXPECT_FALSE(parse_since(text, now())) << text;
}

TEST_F(LifecycleLog, WhatIsNoEntryIsPassedOver) {
  for (const auto* line : {"", "x", "t stdout", "t stdout X y", "t stdin F y", " stdout F y"})
    EXPECT_FALSE(parse_log_entry(line)) << line;
  EXPECT_EQ(parse_log_entry("t stdout F ")->text, "");
}

TEST(RestartPolicy, AsItIsWritten) {
  for (const auto* text : {"", "yes", "on-failure:", "on-failure:x", "on-failure:-1", "always:3"})
    EXPECT_FALSE(RestartPolicy::parse(text)) << text;
  EXPECT_FALSE(RestartPolicy::parse("no")->after(1, seconds(1)));
  EXPECT_FALSE(RestartPolicy::parse("on-failure")->after(0, seconds(1)));
  EXPECT_TRUE(RestartPolicy::parse("always")->after(0, seconds(1)));
  auto twice = *RestartPolicy::parse("on-failure:2");
  EXPECT_TRUE(twice.after(1, seconds(1)));
  EXPECT_TRUE(twice.after(1, seconds(1)));
  EXPECT_FALSE(twice.after(1, seconds(1)));
}

TEST(RestartPolicy, WaitsLongerEachTime) {
  auto policy = *RestartPolicy::parse("always");
  EXPECT_EQ(policy.after(1, seconds(1)), milliseconds(100));
  EXPECT_EQ(policy.after(1, seconds(1)), milliseconds(200));
  EXPECT_EQ(policy.after(1, seconds(20)), milliseconds(100));
  for (int count = 0; count < 20; ++count)
    policy.after(1, seconds(1));
  EXPECT_EQ(policy.after(1, seconds(1)), seconds(60));
}

TEST(Readiness, AsItIsWritten) {
  Forward forward;
  forward.host_port = 8080;
  forward.guest_port = 80;
  EXPECT_EQ(Readiness::parse("", {})->kind, Readiness::Kind::started);
  const auto tcp = Readiness::parse("tcp:80,2.5", {});
  EXPECT_EQ(tcp->port, 80);
  EXPECT_EQ(tcp->most, milliseconds(2500));
  const auto http = Readiness::parse("http:80/a,b,30s", {forward});
  EXPECT_EQ(http->path, "/a,b");
  EXPECT_EQ(http->most, seconds(30));
  EXPECT_EQ(http->to->host_port, 8080);
  const auto log = Readiness::parse("log:ready, (set|go)", {});
  EXPECT_TRUE(std::regex_search("all ready, go on", log->line));
  const auto unpublished = Readiness::parse("http:81/", {forward});
  EXPECT_THAT(unpublished.error().message, HasSubstr("not published"));
  for (const auto* text :
       {"tcp:", "tcp:x", "tcp:0", "tcp:70000", "tcp:80/x", "udp:53", "log:", "log:(", "80"})
    EXPECT_FALSE(Readiness::parse(text, {forward})) << text;
}

} // namespace
} // namespace ukl
