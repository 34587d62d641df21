// SPDX-License-Identifier: GPL-2.0-only
#include "machine/private_network.hpp"

#include <array>
#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace ukl {
namespace {

using testing::HasSubstr;

constexpr const char* kFirst = "52:54:00:00:00:01";
constexpr const char* kSecond = "52:54:00:00:00:02";
constexpr const char* kThird = "52:54:00:00:00:03";

class PrivateNetwork : public testing::Test {
protected:
  TemporaryFolder folder_ = *TemporaryFolder::create("network");
  // Longer than the address of a socket may be.
  std::filesystem::path network_ = folder_.path() / std::string(100, 'n') / "back";

  PrivatePort join(const char* mac) {
    auto port = PrivatePort::join(network_, mac);
    EXPECT_TRUE(port) << port.error().message;
    return std::move(*port);
  }
  // A frame from the first machine to the one whose address ends with `last`; 0xff: to all.
  static std::string frame(char last, const std::string& text) {
    std::string frame = last == '\xff' ? std::string(6, '\xff') : std::string("\x52\x54\0\0\0", 5) + last;
    return frame + std::string("\x52\x54\0\0\0\x01\x08\0", 8) + text;
  }
  static void send(const PrivatePort& port, const std::string& frame) {
    EXPECT_EQ(::send(port.qemus_end(), frame.data(), frame.size(), 0), static_cast<ssize_t>(frame.size()));
  }
  // What comes within two seconds, or within no time.
  static std::string receive(const PrivatePort& port, int patience = 2000) {
    pollfd ready = {port.qemus_end(), POLLIN, 0};
    std::array<char, 70000> bytes;
    if (poll(&ready, 1, patience) <= 0)
      return "nothing";
    const auto got = recv(port.qemus_end(), bytes.data(), bytes.size(), 0);
    return {bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
  }
};

TEST_F(PrivateNetwork, BringsFramesToWhomTheyAreFor) {
  const auto first = join(kFirst), second = join(kSecond), third = join(kThird);
  send(first, frame(2, "to the second"));
  EXPECT_EQ(receive(second), frame(2, "to the second"));
  send(first, frame('\xff', "to all"));
  EXPECT_EQ(receive(second), frame('\xff', "to all"));
  EXPECT_EQ(receive(third), frame('\xff', "to all")); // and what was for the second did not come
  EXPECT_EQ(receive(first, 0), "nothing");
  send(first, frame(9, "to nobody"));
  send(first, "short");
  send(first, frame(3, std::string(65000, 'x')));
  EXPECT_EQ(receive(third).size(), frame(3, "").size() + 65000);
}

TEST_F(PrivateNetwork, KeepsTheOrderOfMany) {
  const auto first = join(kFirst), second = join(kSecond);
  for (int round = 0; round < 20; ++round) {
    for (int number = 0; number < 50; ++number)
      send(first, frame(2, std::to_string(number)));
    for (int number = 0; number < 50; ++number)
      ASSERT_EQ(receive(second), frame(2, std::to_string(number)));
  }
}

TEST_F(PrivateNetwork, WaitsForNobodyForLong) {
  const auto first = join(kFirst), second = join(kSecond), third = join(kThird);
  // The second takes nothing: what is kept for it has a bound, and the third has its frames.
  for (int number = 0; number < 2000; ++number)
    send(first, frame(2, std::string(1400, 'x')));
  send(first, frame(3, "still here"));
  EXPECT_EQ(receive(third, 20000), frame(3, "still here"));
}

TEST_F(PrivateNetwork, GoesWithItsLastMachine) {
  {
    const auto first = join(kFirst);
    {
      const auto second = join(kSecond);
      const auto again = PrivatePort::join(network_, kSecond);
      ASSERT_FALSE(again);
      EXPECT_EQ(again.error().failure, Failure::port_in_use);
      EXPECT_THAT(again.error().message,
                  HasSubstr("a machine with the address 52:54:00:00:00:02 is on the network back"));
    }
    EXPECT_TRUE(std::filesystem::exists(network_));
    send(first, frame(2, "to one that has gone"));
  }
  EXPECT_FALSE(std::filesystem::exists(network_));
}

TEST_F(PrivateNetwork, TakesThePlaceOfAKilledMachine) {
  const auto first = join(kFirst);
  {
    // What SIGKILL leaves: a socket that nobody has.
    const FileDescriptor killed(socket(AF_UNIX, SOCK_DGRAM, 0));
    std::filesystem::current_path(network_);
    sockaddr_un address = {AF_UNIX, "525400000002"};
    ASSERT_EQ(bind(killed.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    std::filesystem::current_path("/");
  }
  const auto third = join(kThird);
  send(first, frame('\xff', "to all"));
  EXPECT_EQ(receive(third), frame('\xff', "to all"));
  const auto second = join(kSecond);
  send(first, frame(2, "to the new one"));
  EXPECT_EQ(receive(second), frame(2, "to the new one"));
}

} // namespace
} // namespace ukl
