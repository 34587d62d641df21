// SPDX-License-Identifier: GPL-2.0-only
#include "../../init/listeners.cpp" // NOLINT(bugprone-suspicious-include): init is a program of its own

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <netinet/in.h>
#include <sys/socket.h>

namespace ukl::init {
namespace {

constexpr std::string_view kTable =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0\n"
    "   1: 0F02000A:0050 0202000A:D431 01 00000000:00000000 00:00000000 00000000     0        0 2 1 0\n";

TEST(Listeners, AreToldFromConnections) {
  EXPECT_TRUE(listens(kTable, 8080));
  EXPECT_FALSE(listens(kTable, 80));
  EXPECT_FALSE(listens(kTable, 0xD431));
  EXPECT_TRUE(
      listens("   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A x", 80));
  EXPECT_FALSE(listens("", 80));
  EXPECT_FALSE(listens("a: b:c", 80));
}

TEST(Listeners, AreFoundOnceTheyListen) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  EXPECT_EQ(until_next_look(), -1);
  await_listener(ntohs(address.sin_port));
  EXPECT_EQ(until_next_look(), 1);
  EXPECT_THAT(take_listeners(), testing::IsEmpty());
  ASSERT_EQ(listen(fd, 1), 0);
  usleep(2000);
  EXPECT_THAT(take_listeners(), testing::ElementsAre(ntohs(address.sin_port)));
  EXPECT_EQ(until_next_look(), -1);
  close(fd);
}

} // namespace
} // namespace ukl::init
