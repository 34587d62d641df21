// SPDX-License-Identifier: GPL-2.0-only
#include "machine_supervisor.hpp"

#include <csignal>
#include <gmock/gmock.h>

namespace ukl {
namespace {

using namespace std::chrono_literals;
using Stop = MachineSupervisor::Stop;

// A clock that the test sets.
const MachineSupervisor::Time kStart = MachineSupervisor::Time() + 1h;

TEST(MachineSupervisor, FollowsAProgramToItsEnd) {
  MachineSupervisor supervisor({});
  EXPECT_FALSE(supervisor.started());
  supervisor.on_control("star", kStart);
  EXPECT_FALSE(supervisor.started());
  supervisor.on_control("ted\nstatus 4", kStart);
  EXPECT_TRUE(supervisor.started());
  EXPECT_EQ(supervisor.status(), std::nullopt);
  supervisor.on_control("2\n", kStart);
  EXPECT_EQ(supervisor.status(), 42);
  EXPECT_EQ(supervisor.must_stop(kStart), Stop::no);
  EXPECT_EQ(supervisor.must_stop(kStart + 4s), Stop::finished);
}

TEST(MachineSupervisor, CollectsTracedCalls) {
  MachineSupervisor supervisor({});
  supervisor.on_control("started\ncall 0\ncall 23", kStart);
  supervisor.on_control("1\ncall x\nstatus 0\n", kStart);
  EXPECT_EQ(supervisor.calls(), (std::vector<std::uint32_t>{0, 231}));
}

TEST(MachineSupervisor, IgnoresLinesThatItDoesNotKnow) {
  MachineSupervisor supervisor({});
  supervisor.on_control("status\nstatus x\nstatus 1x\nhello\n\nsignalled\n", kStart);
  EXPECT_EQ(supervisor.status(), std::nullopt);
  EXPECT_EQ(supervisor.must_stop(kStart + 1h), Stop::no);
}

TEST(MachineSupervisor, KeepsSignalsForAProgramThatIsNotThereYet) {
  MachineSupervisor supervisor({});
  supervisor.on_signal(SIGHUP, kStart);
  supervisor.on_signal(SIGUSR1, kStart);
  EXPECT_EQ(supervisor.take_message(), "");
  supervisor.on_control("started\n", kStart + 1s);
  EXPECT_EQ(supervisor.take_message(), "signal 1\nsignal 10\n");
  EXPECT_EQ(supervisor.take_message(), "");
  supervisor.on_signal(SIGUSR2, kStart + 2s);
  EXPECT_EQ(supervisor.take_message(), "signal 12\n");
}

TEST(MachineSupervisor, StopsAtASecondInterrupt) {
  MachineSupervisor supervisor({});
  supervisor.on_control("started\n", kStart);
  supervisor.on_signal(SIGINT, kStart);
  supervisor.on_control("signalled 2\n", kStart);
  EXPECT_EQ(supervisor.must_stop(kStart + 1s), Stop::no);
  supervisor.on_signal(SIGINT, kStart + 2s);
  EXPECT_EQ(supervisor.must_stop(kStart + 2s), Stop::interrupted);
  EXPECT_EQ(supervisor.last_signal(), SIGINT);
}

TEST(MachineSupervisor, TakesALaterInterruptForTheProgram) {
  MachineSupervisor supervisor({});
  supervisor.on_control("started\n", kStart);
  for (const auto when : {0s, 4s, 8s}) {
    supervisor.on_signal(SIGINT, kStart + when);
    supervisor.on_control("signalled 2\n", kStart + when);
    EXPECT_EQ(supervisor.must_stop(kStart + when), Stop::no);
  }
}

TEST(MachineSupervisor, NeverStopsForSignalsThatDoNotEndAProgram) {
  MachineSupervisor supervisor({});
  supervisor.on_control("started\n", kStart);
  for (int count = 0; count < 5; ++count)
    supervisor.on_signal(SIGUSR1, kStart);
  EXPECT_EQ(supervisor.must_stop(kStart + 1s), Stop::no);
}

TEST(MachineSupervisor, StopsAMachineThatDoesNotAnswer) {
  MachineSupervisor supervisor({});
  supervisor.on_signal(SIGTERM, kStart);
  EXPECT_EQ(supervisor.next_deadline(), kStart + 10s);
  EXPECT_EQ(supervisor.must_stop(kStart + 9s), Stop::no);
  EXPECT_EQ(supervisor.must_stop(kStart + 10s), Stop::unanswered);
  supervisor.on_control("started\nsignalled 15\n", kStart + 10s);
  EXPECT_EQ(supervisor.must_stop(kStart + 1h), Stop::no);
  EXPECT_EQ(supervisor.next_deadline(), std::nullopt);
}

TEST(MachineSupervisor, StopsAfterItsTime) {
  MachineSupervisor supervisor({}, kStart + 5s);
  EXPECT_EQ(supervisor.next_deadline(), kStart + 5s);
  EXPECT_EQ(supervisor.must_stop(kStart + 4s), Stop::no);
  EXPECT_EQ(supervisor.must_stop(kStart + 5s), Stop::timed_out);
}

TEST(MachineSupervisor, GivesAFinishedMachineTimeToPowerOff) {
  MachineSupervisor supervisor({}, kStart + 5s);
  supervisor.on_control("started\nstatus 0\n", kStart + 4s);
  EXPECT_EQ(supervisor.must_stop(kStart + 6s), Stop::no);
  EXPECT_EQ(supervisor.must_stop(kStart + 7s), Stop::finished);
}

} // namespace
} // namespace ukl
