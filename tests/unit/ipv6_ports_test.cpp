// SPDX-License-Identifier: GPL-2.0-only
#include "machine/checks.hpp"
#include "machine/ipv6_ports.hpp"
#include "machine/socket_address.hpp"
#include "socket_reading.hpp"

#include <gmock/gmock.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl {
namespace {

bool has_ipv6() {
  return bool(take_port(*parse_forward("[::1]:0:80")));
}

FileDescriptor client_of(const Forward& forward) {
  const auto address = SocketAddress::for_client(forward);
  FileDescriptor fd(socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(connect(fd.get(), address.get(), address.size), 0) << forward.host();
  return fd;
}

TEST(Ipv6Ports, LeadToAPortOfIpv4) {
  if (!has_ipv6())
    GTEST_SKIP() << "this machine has no IPv6";
  std::vector<Forward> forwards = {*parse_forward("[::]:0:80"), *parse_forward("0.0.0.0:5:81")};
  ASSERT_TRUE(choose_free_ports(forwards));
  const auto outside = forwards[0];
  EXPECT_NE(outside.host_port, 0);
  const auto ports = Ipv6Ports::serve(forwards);
  ASSERT_TRUE(ports) << ports.error().message;
  // What is left is for QEMU.
  EXPECT_EQ(forwards[0].host_address, "127.0.0.1");
  EXPECT_EQ(forwards[0].guest_port, 80);
  EXPECT_EQ(forwards[1].host(), "0.0.0.0:5");
  auto server = take_port(forwards[0]);
  ASSERT_TRUE(server);
  ASSERT_EQ(listen(server->get(), 1), 0);

  // Later than clients that wait for a program are given up.
  for (int round = 0; round < 2; ++round) {
    const auto client = client_of(outside);
    pollfd event = {server->get(), POLLIN, 0};
    ASSERT_EQ(poll(&event, 1, 5000), 1);
    const FileDescriptor served(accept4(server->get(), nullptr, nullptr, SOCK_CLOEXEC));
    ASSERT_EQ(write(client.get(), "ask", 3), 3);
    EXPECT_EQ(read_some(served), "ask");
    ASSERT_EQ(write(served.get(), "answer", 6), 6);
    EXPECT_EQ(read_some(client), "answer");
    usleep(1'200'000);
  }
}

TEST(Ipv6Ports, SayWhoHasThem) {
  if (!has_ipv6())
    GTEST_SKIP() << "this machine has no IPv6";
  std::vector<Forward> forwards = {*parse_forward("[::1]:0:80")};
  ASSERT_TRUE(choose_free_ports(forwards));
  const auto taken = take_port(forwards[0]);
  ASSERT_TRUE(taken);
  ASSERT_EQ(listen(taken->get(), 1), 0);
  const auto refused = take_port(forwards[0]);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().failure, Failure::port_in_use);
  EXPECT_THAT(refused.error().message, testing::HasSubstr(forwards[0].host()));
}

} // namespace
} // namespace ukl
