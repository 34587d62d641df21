// SPDX-License-Identifier: GPL-2.0-only
// What has been written to connections and not delivered: by Linux in the guest, by QEMU's network outside.
#include "machine/user_network.hpp"

// Compiled here once more: init itself is a program of its own, without exceptions and without a library.
#include "../../init/last_bytes.cpp" // NOLINT(bugprone-suspicious-include)

#include <gmock/gmock.h>

namespace ukl {

// The rest of init, which is not here.
namespace init {
void say(const std::string&) {}
std::string read_whole(const char*) {
  return {};
}
} // namespace init

namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

TEST(LastBytes, CountsWhatIsNotAcknowledged) {
  const std::string head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt\n";
  const auto line = [](const char* state, const char* waiting) {
    return std::string("   1: 0F02000A:1B58 0202000A:9C4A ") + state + " " + waiting +
           ":00000000 01:00000014 00000000     0        0 0 2 0000 20 4 30 10 -1\n";
  };
  EXPECT_EQ(init::undelivered_bytes(""), 0u);
  EXPECT_EQ(init::undelivered_bytes(head), 0u);
  EXPECT_EQ(init::undelivered_bytes(head + line("01", "00000000") + line("06", "00000010")), 0u);
  // What listens shows its longest queue there.
  EXPECT_EQ(init::undelivered_bytes(head + line("0A", "00000080")), 0u);
  EXPECT_EQ(init::undelivered_bytes(head + line("01", "00000100") + line("04", "00000001") +
                                    line("09", "0000000F")),
            0x110u);
}

// As QEMU 7.2 prints it.
constexpr const char* kConnections =
    "Hub -1 (network):\r\n  Protocol[State]    FD  Source Address  Port   Dest. Address  Port RecvQ SendQ\r\n"
    "  TCP[ESTABLISHED]   15       10.0.2.15  7000       127.0.0.1 40618  1234     7\r\n"
    "  TCP[FIN_WAIT_2]    16       10.0.2.15  7000       127.0.0.1 40620   100     0\r\n"
    "  TCP[HOST_FORWARD]  11       127.0.0.1 10700       10.0.2.15  7000     9     0\r\n"
    "  UDP[HOST_FORWARD]  12       127.0.0.1 10701       10.0.2.15  7001     9     0\r\n";

TEST(LastBytes, CountsWhatTheUserNetworkHolds) {
  EXPECT_EQ(unsent_bytes(""), 0u);
  EXPECT_EQ(unsent_bytes(kConnections), 1334u);
}

std::string reply(const std::string& text) {
  std::string escaped;
  for (const char character : text)
    escaped += character == '\n' ? "\\n" : character == '\r' ? "\\r" : std::string(1, character);
  return "{\"return\": \"" + escaped + "\", \"id\": \"monitor:usernet\"}\r\n";
}

class DrainTest : public testing::Test {
protected:
  // What is asked now.
  std::string ask(UserNetworkDrain::Time now) {
    drain.ask(monitor, now);
    return monitor.take_request();
  }
  void answer(const std::string& text, UserNetworkDrain::Time now) {
    monitor.on_reply(reply(text));
    drain.look(monitor, now);
  }

  const UserNetworkDrain::Time start = UserNetworkDrain::Time() + 1h;
  QemuMonitor monitor;
  UserNetworkDrain drain;
};

TEST_F(DrainTest, AsksTheUserNetworkUntilItIsEmpty) {
  EXPECT_THAT(ask(start), HasSubstr("info usernet"));
  EXPECT_EQ(ask(start), "");
  drain.look(monitor, start);
  EXPECT_FALSE(drain.done());
  answer(kConnections, start);
  EXPECT_FALSE(drain.done());
  EXPECT_EQ(ask(start), "");
  EXPECT_THAT(ask(start + 1s), HasSubstr("info usernet"));
  answer("  TCP[ESTABLISHED] 15 10.0.2.15 7000 127.0.0.1 40618 0 7\r\n", start + 1s);
  EXPECT_TRUE(drain.done());
  EXPECT_EQ(drain.given_up(), 0u);
}

TEST_F(DrainTest, GivesUpAClientThatTakesNothing) {
  ask(start);
  answer(kConnections, start);
  EXPECT_THAT(ask(start + 9s), HasSubstr("info usernet"));
  answer(kConnections, start + 9s);
  EXPECT_EQ(ask(start + 11s), "");
  EXPECT_TRUE(drain.done());
  EXPECT_EQ(drain.given_up(), 1334u);
}

TEST_F(DrainTest, DoesNotWaitForAQemuThatDoesNotAnswer) {
  ask(start);
  EXPECT_EQ(drain.next_time(), start + 10s);
  ask(start + 10s);
  EXPECT_TRUE(drain.done());
  EXPECT_EQ(drain.given_up(), 0u);
}

} // namespace
} // namespace ukl
