// SPDX-License-Identifier: GPL-2.0-only
#include "machine/supervisor.hpp"

#include <csignal>
#include <fmt/format.h>
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
  supervisor.on_signal(SIGUSR1, kStart);
  supervisor.on_signal(SIGINT, kStart, true);
  EXPECT_EQ(supervisor.take_message(), "");
  supervisor.on_control("started\n", kStart + 1s);
  EXPECT_EQ(supervisor.take_message(), "signal 10\nsignal 2\n");
  EXPECT_EQ(supervisor.take_message(), "");
  supervisor.on_signal(SIGUSR2, kStart + 2s);
  EXPECT_EQ(supervisor.take_message(), "signal 12\n");
}

TEST(MachineSupervisor, StopsAMachineWhoseProgramIsNotThereYet) {
  for (const int signal : {SIGINT, SIGTERM, SIGQUIT, SIGHUP}) {
    MachineSupervisor supervisor({});
    supervisor.on_signal(signal, kStart);
    EXPECT_EQ(supervisor.must_stop(kStart), Stop::interrupted);
    EXPECT_EQ(supervisor.last_signal(), signal);
  }
}

TEST(MachineSupervisor, DeliversEverySecondSignal) {
  MachineSupervisor supervisor({});
  supervisor.on_control("started\n", kStart);
  for (int count = 0; count < 5; ++count) {
    supervisor.on_signal(SIGTERM, kStart);
    EXPECT_EQ(supervisor.take_message(), "signal 15\n");
    supervisor.on_control("signalled 15\n", kStart);
    EXPECT_EQ(supervisor.must_stop(kStart), Stop::no);
  }
}

TEST(MachineSupervisor, StopsAMachineAfterItsProgramOnlyWhenThatIsSafe) {
  MachineSupervisor supervisor({});
  supervisor.on_control("started\nended\n", kStart);
  supervisor.on_signal(SIGTERM, kStart);
  EXPECT_EQ(supervisor.must_stop(kStart + 1h), Stop::no);
  supervisor.on_control("safe 0\n", kStart);
  EXPECT_EQ(supervisor.must_stop(kStart), Stop::interrupted);
}

TEST(MachineSupervisor, StopsByHandWhateverTheProgramSays) {
  MachineSupervisor supervisor({});
  supervisor.on_control("started\n", kStart);
  supervisor.stop_by_hand();
  EXPECT_EQ(supervisor.must_stop(kStart), Stop::interrupted);
}

TEST(MachineSupervisor, KnowsWhatBecameOfStreamsAndJobs) {
  MachineSupervisor supervisor({});
  supervisor.on_control("init\nstarted\nstopped 20\nbackground sleep 31, b 32\ninput-closed\n", kStart);
  EXPECT_EQ(supervisor.take_stopped(), 20);
  EXPECT_EQ(supervisor.take_stopped(), 0);
  EXPECT_EQ(supervisor.take_background(), "sleep 31, b 32");
  EXPECT_EQ(supervisor.take_background(), "");
  EXPECT_TRUE(supervisor.input_closed());
  supervisor.on_control("end 1 8600000\nend 9 1\nend 2 x\nend 0 5\n", kStart);
  EXPECT_EQ(supervisor.bytes_of(1), 8600000u);
  EXPECT_EQ(supervisor.bytes_of(2), std::nullopt);
  EXPECT_FALSE(supervisor.sent());
  supervisor.on_control("sent\n", kStart);
  EXPECT_TRUE(supervisor.sent());
}

// What a guest writes there has no bound, what is kept of it has.
TEST(MachineSupervisor, CutsOffAGuestThatFloodsTheControlPort) {
  for (const std::size_t portion : {1000, 65536}) {
    MachineSupervisor supervisor({});
    supervisor.on_control("started\n", kStart);
    for (int count = 0; count < 10; ++count)
      supervisor.on_control(std::string(portion, 'x'), kStart);
    EXPECT_EQ(supervisor.must_stop(kStart), Stop::flooded);
  }
  MachineSupervisor supervisor({});
  for (int count = 0; count < 100000; ++count)
    supervisor.on_control("call " + std::to_string(count) + "\n", kStart);
  EXPECT_LE(supervisor.calls().size(), 1024u);
}

TEST(MachineSupervisor, StopsAMachineThatDoesNotAnswer) {
  MachineSupervisor supervisor({});
  supervisor.on_control("started\n", kStart);
  supervisor.on_signal(SIGTERM, kStart);
  EXPECT_EQ(supervisor.next_deadline(), kStart + 10s);
  EXPECT_EQ(supervisor.must_stop(kStart + 9s), Stop::no);
  EXPECT_EQ(supervisor.must_stop(kStart + 10s), Stop::unanswered);
  supervisor.on_control("signalled 15\n", kStart + 10s);
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

TEST(MachineSupervisor, KnowsWhetherASignalHasEndedTheProgram) {
  const auto end_after = [](int signal, std::chrono::seconds later) {
    MachineSupervisor supervisor({});
    supervisor.on_control("started\n", kStart);
    supervisor.on_signal(signal, kStart);
    supervisor.on_control(fmt::format("signalled {}\nended\n", signal), kStart + later);
    EXPECT_FALSE(supervisor.status_when_asked_to_end()) << "its volumes are still mounted";
    supervisor.on_control("safe 3\n", kStart + later);
    return supervisor.status_when_asked_to_end();
  };
  EXPECT_EQ(end_after(SIGTERM, 1s), 3);
  EXPECT_EQ(end_after(SIGKILL, 1s), 3);
  EXPECT_EQ(end_after(SIGUSR1, 1s), std::nullopt);
  EXPECT_EQ(end_after(SIGHUP, 60s), std::nullopt) << "such a program has read its configuration again";
}

} // namespace
} // namespace ukl
