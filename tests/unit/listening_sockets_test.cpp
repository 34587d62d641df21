// SPDX-License-Identifier: GPL-2.0-only
#include "machine/listening_sockets.hpp"
#include "support/files.hpp"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace ukl {
namespace {

// For a listening socket the field holds the longest queue (Linux, net/ipv4/tcp.c, tcp_get_info).
unsigned longest_queue(const FileDescriptor& listener) {
  tcp_info info = {};
  socklen_t size = sizeof info;
  EXPECT_EQ(getsockopt(listener.get(), IPPROTO_TCP, TCP_INFO, &info, &size), 0);
  return info.tcpi_sacked;
}

TEST(ListenBacklog, GrowsForListeningSocketsOnly) {
  const FileDescriptor listener(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const FileDescriptor idle(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(listen(listener.get(), 1), 0);
  ASSERT_EQ(longest_queue(listener), 1u);
  EXPECT_EQ(widen_listen_backlogs(getpid()), 1);
  EXPECT_GE(longest_queue(listener), 64u);
  int listens = -1;
  socklen_t size = sizeof listens;
  ASSERT_EQ(getsockopt(idle.get(), SOL_SOCKET, SO_ACCEPTCONN, &listens, &size), 0);
  EXPECT_EQ(listens, 0);
}

TEST(ListenBacklog, NoSuchProcess) {
  EXPECT_EQ(widen_listen_backlogs(-1), 0);
}

} // namespace
} // namespace ukl
